"""Measure levels and spectra of audio by numpy and pyloudnorm, not by what renders it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyloudnorm
from numpy.typing import NDArray

import clipmaker

RATE = 48_000
# Samples by channels.
Sound = NDArray[np.float32]


def tone(frequency: float, seconds: float, *, level_db: float = -20.0) -> Sound:
    """Return a sine on both channels with its peak at `level_db`."""
    t = np.arange(round(seconds * RATE)) / RATE
    mono = 10 ** (level_db / 20) * np.sin(2 * np.pi * frequency * t)
    return np.stack([mono, mono], axis=1).astype(np.float32)


def silence(seconds: float) -> Sound:
    """Return silence on both channels."""
    return np.zeros((round(seconds * RATE), 2), np.float32)


def noise(seconds: float, *, level_db: float = -20.0, seed: int = 1) -> Sound:
    """Return independent white noise on both channels with its RMS at `level_db`."""
    normal = np.random.default_rng(seed).standard_normal((round(seconds * RATE), 2))
    return (10 ** (level_db / 20) * normal).astype(np.float32)


def write(path: Path, sound: Sound) -> Path:
    """Write raw samples, the format of the joined segment audio."""
    sound.astype("<f4").tofile(path)
    return path


def read(path: Path) -> Sound:
    """Read raw samples."""
    return np.fromfile(path, "<f4").reshape(-1, 2)


def track(path: Path, sound: Sound, rate: int = RATE, *, extra: tuple[str, ...] = ()) -> Path:
    """Write an audio file; the extension selects the format."""
    raw = write(path.with_name(f"{path.name}.f32"), sound)
    form = ("-f", "f32le", "-ar", str(rate), "-ac", str(sound.shape[1]), "-i", str(raw))
    codec = {".wav": ("-c:a", "pcm_f32le"), ".mp3": ("-b:a", "192k")}.get(path.suffix, ())
    clipmaker.ffmpeg(*form, *codec, *extra, str(path))
    raw.unlink()
    return path


def decoded(path: Path) -> Sound:
    """Return the samples that a player plays of a media file, in stereo."""
    # Not PyAV: its frames have the encoder's padding after the last sample as well.
    raw = path.with_name(f"{path.name}.f32")
    form = ("-ar", str(RATE), "-ac", "2", "-f", "f32le")
    clipmaker.ffmpeg("-i", str(path), "-map", "0:a:0", *form, str(raw))
    sound = read(raw)
    raw.unlink()
    return sound


def at(sound: Sound, start_s: float, end_s: float) -> Sound:
    """Return a range, in seconds."""
    return sound[round(start_s * RATE) : round(end_s * RATE)]


def level_at(sound: Sound, frequency: float) -> float:
    """Return the peak level in dB of one frequency in the first channel, at least -200."""
    mono = sound[:, 0].astype(np.float64)
    window = np.hanning(len(mono))
    turn = np.exp(-2j * np.pi * frequency * np.arange(len(mono)) / RATE)
    amplitude = 2 * abs(np.sum(mono * window * turn)) / np.sum(window)
    return float(20 * np.log10(max(amplitude, 1e-10)))


def rms_db(sound: Sound) -> float:
    """Return the RMS level in dB, -200 for silence."""
    return float(10 * np.log10(max(float(np.mean(np.square(sound.astype(np.float64)))), 1e-20)))


def loudness(sound: Sound) -> float:
    """Return the integrated loudness in LUFS."""
    return float(pyloudnorm.Meter(RATE).integrated_loudness(sound.astype(np.float64)))


def true_peak_db(sound: Sound) -> float:
    """Return the highest true peak in dB, by 8x oversampling in the frequency domain."""
    peaks = []
    for channel in sound.T:
        padded = np.concatenate([channel.astype(np.float64), np.zeros(len(channel) % 2)])
        spectrum = np.fft.rfft(padded)
        finer = np.fft.irfft(spectrum, len(padded) * 8) * 8
        peaks.append(np.max(np.abs(finer)))
    return float(20 * np.log10(max(*peaks, 1e-10)))
