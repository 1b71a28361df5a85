"""A database and a storage folder of the predecessor, with all kinds of rows in them."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

import psycopg

# Names of enums are stored, as its ORM does.
SCHEMA = """
CREATE TYPE userrole AS ENUM ('USER', 'ADMIN');
CREATE TYPE mediatype AS ENUM ('INTRO', 'OUTRO', 'TRANSITION', 'CLIP', 'COMPILATION', 'MUSIC');
CREATE TYPE projectstatus AS ENUM ('DRAFT', 'READY', 'PROCESSING', 'COMPLETED', 'FAILED');
CREATE TABLE tiers (
  id serial PRIMARY KEY, name varchar(100) UNIQUE NOT NULL, description text,
  monthly_price_cents int, storage_limit_bytes bigint, render_time_limit_seconds int,
  apply_watermark bool DEFAULT true, is_unlimited bool DEFAULT false, is_active bool DEFAULT true,
  is_default bool DEFAULT false, max_output_resolution varchar(20), max_fps int,
  max_clips_per_project int, max_teams_owned int, max_team_members int);
CREATE TABLE users (
  id serial PRIMARY KEY, username varchar(80) UNIQUE NOT NULL, email varchar(120) UNIQUE,
  password_hash varchar(255), first_name varchar(50), last_name varchar(50),
  role userrole DEFAULT 'USER', is_active bool DEFAULT true, email_verified bool DEFAULT false,
  created_at timestamp DEFAULT now(), last_login timestamp, tier_id int REFERENCES tiers(id),
  watermark_disabled bool DEFAULT false, totp_secret varchar(64), timezone varchar(64));
CREATE TABLE media_files (
  id serial PRIMARY KEY, filename varchar(255), original_filename varchar(255), description text,
  file_path varchar(500), checksum varchar(64), file_size bigint, mime_type varchar(100),
  media_type mediatype NOT NULL, duration float, width int, height int, framerate float,
  user_id int NOT NULL, project_id int, is_public bool DEFAULT false,
  uploaded_at timestamp DEFAULT now(), is_processed bool DEFAULT true, thumbnail_path varchar(500),
  artist varchar(255), album varchar(255), title varchar(255), license varchar(255));
CREATE TABLE projects (
  id serial PRIMARY KEY, public_id varchar(32) UNIQUE, name varchar(200) NOT NULL,
  description text, tags text, user_id int NOT NULL, team_id int,
  status projectstatus DEFAULT 'DRAFT', created_at timestamp DEFAULT now(), updated_at timestamp,
  completed_at timestamp, wizard_step int DEFAULT 1, wizard_state text,
  max_clip_duration int DEFAULT 30, output_resolution varchar(20) DEFAULT '1080p',
  output_format varchar(10) DEFAULT 'mp4', audio_norm_profile varchar(32), audio_norm_db float,
  platform_preset varchar(40) DEFAULT 'CUSTOM', quality varchar(20) DEFAULT 'high',
  fps int DEFAULT 30, transitions_enabled bool DEFAULT true, watermark_enabled bool DEFAULT false,
  vertical_zoom int DEFAULT 100, vertical_align varchar(10) DEFAULT 'center', intro_media_id int,
  outro_media_id int, background_music_id int, music_volume float DEFAULT 0.3,
  music_start_mode varchar(20) DEFAULT 'after_intro',
  music_end_mode varchar(20) DEFAULT 'before_outro', duck_threshold float DEFAULT 0.02,
  duck_ratio float DEFAULT 20, duck_attack float DEFAULT 1, duck_release float DEFAULT 250,
  output_filename varchar(255), output_file_size bigint, processing_log text);
CREATE TABLE clips (
  id serial PRIMARY KEY, title varchar(200), description text, source_platform varchar(20),
  source_url varchar(500), source_id varchar(100), creator_name varchar(100),
  creator_id varchar(100), creator_avatar_path varchar(500), game_name varchar(100),
  clip_created_at timestamp, view_count int, project_id int NOT NULL, media_file_id int,
  start_time float DEFAULT 0.0, end_time float, duration float, order_index int DEFAULT 0,
  created_at timestamp DEFAULT now(), collected_at timestamp, is_downloaded bool,
  is_processed bool);
CREATE TABLE render_usage (
  id serial PRIMARY KEY, user_id int NOT NULL, project_id int, seconds_used int NOT NULL,
  created_at timestamp DEFAULT now());
CREATE TABLE processing_jobs (
  id serial PRIMARY KEY, celery_task_id varchar(100) UNIQUE, result_data json);
CREATE TABLE teams (id serial PRIMARY KEY, name varchar(128));
CREATE TABLE notifications (id serial PRIMARY KEY, user_id int);
"""
ROWS = """
INSERT INTO tiers (id, name, storage_limit_bytes, render_time_limit_seconds, apply_watermark,
  is_unlimited, is_default, max_output_resolution, max_fps, max_clips_per_project) VALUES
  (1, 'Free', 1073741824, 1800, true, false, true, NULL, NULL, NULL),
  (2, 'Creator+', 5368709120, 0, false, false, false, '4k', 60, 40),
  (3, 'Pro', 1000, 21600, false, false, false, NULL, NULL, NULL);
INSERT INTO users (id, username, email, password_hash, role, is_active, tier_id, totp_secret)
  VALUES
  (1, 'Ada', 'ada@example.org', 'SECRET-HASH', 'ADMIN', true, 2, 'SECRET-TOTP'),
  (2, 'ada', 'ada2@example.org', 'SECRET-HASH', 'USER', true, NULL, NULL),
  (3, 'Grüße_aus Köln', 'k@example.org', 'SECRET-HASH', 'USER', false, 1, NULL);
INSERT INTO projects (id, name, user_id, status, description, platform_preset, output_resolution,
  fps, vertical_zoom, vertical_align, intro_media_id, outro_media_id, background_music_id,
  processing_log) VALUES
  (1, 'Friday best-of', 1, 'COMPLETED', E'two\\nlines', 'YOUTUBE', '1080p', 30, 100, 'center',
    1, 8, 5, 'SECRET-LOG'),
  (2, 'Friday best of', 1, 'FAILED', NULL, 'CUSTOM', '720x1280', 33, 140, 'left',
    NULL, NULL, NULL, NULL),
  (3, 'Empty', 1, 'DRAFT', NULL, 'CUSTOM', '1080p', 30, 100, 'center', NULL, NULL, NULL, NULL),
  (4, 'Links', 2, 'DRAFT', NULL, 'TIKTOK', '1080x1920', 30, 100, 'center', 1, NULL, NULL, NULL),
  (5, 'Of nobody', 99, 'DRAFT', NULL, 'CUSTOM', '1080p', 30, 100, 'center',
    NULL, NULL, NULL, NULL);
INSERT INTO clips (id, title, source_url, creator_name, game_name, project_id, media_file_id,
  start_time, end_time, order_index) VALUES
  (1, 'Second', 'https://clips.twitch.tv/Second', 'Bea', 'Counter-Strike: Source',
    1, 2, 0.5, 1.5, 1),
  (2, 'First', NULL, NULL, NULL, 1, 2, 0.25, NULL, 0),
  (3, 'Missing file', 'https://clips.twitch.tv/Missing', NULL, NULL, 1, 3, 0, NULL, 2),
  (4, 'Nothing', NULL, NULL, NULL, 1, 3, 0, NULL, 3),
  (5, 'Only link', 'https://clips.twitch.tv/Only', NULL, NULL, 2, NULL, 0, NULL, 0),
  (6, 'A link', 'https://clips.twitch.tv/Link', NULL, NULL, 4, NULL, 0, NULL, 0),
  (7, 'Not theirs', NULL, NULL, NULL, 4, 2, 0, NULL, 1),
  (8, 'Of nobody', NULL, NULL, NULL, 5, NULL, 0, NULL, 0);
INSERT INTO render_usage (id, user_id, project_id, seconds_used, created_at) VALUES
  (1, 1, 1, 120, '2026-01-31 23:59:59'), (2, 1, 2, 30, '2026-02-01 00:00:00'),
  (3, 1, 1, -5, '2026-02-01 00:00:00'), (4, 2, NULL, 60, '2026-02-02 00:00:00'),
  (5, 99, NULL, 60, '2026-02-02 00:00:00');
INSERT INTO processing_jobs (celery_task_id) VALUES ('a'), ('b');
INSERT INTO teams (name) VALUES ('a team');
"""
MEDIA = """
INSERT INTO media_files (id, original_filename, file_path, checksum, file_size, media_type,
  user_id, is_public) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True)
class Predecessor:
    """The URL of the database, and the storage folder."""

    url: str
    storage: Path


def predecessor(url: str, storage: Path, clip: Path, music: Path) -> Predecessor:
    """Fill an empty database and a folder. A broken file, a missing one and others are in it."""
    (storage / "uploads/1").mkdir(parents=True)
    (storage / "public").mkdir()
    for name, source in (("clip.mp4", clip), ("intro.mp4", clip), ("music.wav", music)):
        shutil.copy(source, storage / "uploads/1" / name)
    shutil.copy(clip, storage / "public/outro.mp4")
    shutil.copy(clip, storage / "uploads/1/result.mp4")
    (storage / "uploads/1/broken.mp4").write_bytes(b"no video" * 100)
    (storage.parent / "outside.mp4").write_bytes(clip.read_bytes())
    (storage / "uploads/1/link.mp4").symlink_to(storage.parent / "outside.mp4")
    size, digest = clip.stat().st_size, hashlib.sha256(clip.read_bytes()).hexdigest()
    root = "/srv/app/instance/uploads/1"
    media = [
        (1, "intro.mp4", f"{root}/intro.mp4", digest, size, "INTRO", 1, True),
        (2, "clip.mp4", f"{root}/clip.mp4", None, size, "CLIP", 1, False),
        (3, "gone.mp4", f"{root}/gone.mp4", None, size, "CLIP", 1, False),
        (4, "broken.mp4", f"{root}/broken.mp4", None, 800, "CLIP", 1, False),
        (5, "song.wav", "uploads/1/music.wav", None, music.stat().st_size, "MUSIC", 1, False),
        (6, "other.mp4", f"{root}/clip.mp4", "0" * 64, size, "OUTRO", 1, False),
        (7, "result.mp4", f"{root}/result.mp4", None, size, "COMPILATION", 1, False),
        (8, "outro.mp4", "/srv/app/instance/public/outro.mp4", None, size, "OUTRO", 2, True),
        (9, "link.mp4", f"{root}/link.mp4", None, size, "CLIP", 1, False),
        (10, "escape.mp4", "../outside.mp4", None, size, "CLIP", 1, False),
        (11, "short.mp4", f"{root}/clip.mp4", None, size + 1, "CLIP", 1, False),
    ]
    with psycopg.connect(url) as connection:
        connection.execute(SCHEMA)
        connection.execute(ROWS)
        connection.cursor().executemany(MEDIA, media)
    return Predecessor(url, storage)
