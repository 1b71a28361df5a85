// Read clips by @twurple/api from the stand-in at BASE_URL and print what was read as JSON.
// Usage: BASE_URL=http://127.0.0.1:8000 node clips.mjs START END

import { ApiClient } from "@twurple/api";
import { AppTokenAuthProvider } from "@twurple/auth";

const [startDate, endDate] = process.argv.slice(2);
const base = process.env.BASE_URL;
const realFetch = globalThis.fetch;
globalThis.fetch = (url, options) =>
  realFetch(
    String(url)
      .replace("https://api.twitch.tv/helix", `${base}/helix`)
      .replace("https://id.twitch.tv/oauth2", `${base}/oauth2`),
    options,
  );

const authProvider = new AppTokenAuthProvider("clientoftests", "secret-of-tests");
const api = new ApiClient({ authProvider });
const broadcaster = await api.users.getUserByName("rooklift");
const unknown = await api.users.getUserByName("nobody");
const game = await api.games.getGameByName("Chess");
const clips = await api.clips.getClipsForGamePaginated(game.id, { startDate, endDate }).getAll();
const [first] = clips;
const byIds = await api.clips.getClipsByIds([clips[0].id, clips[1].id]);
console.log(
  JSON.stringify({
    broadcaster: broadcaster.id,
    unknown,
    game: game.id,
    count: clips.length,
    byIds: byIds.length,
    first: {
      url: first.url,
      title: first.title,
      creator: first.creatorDisplayName,
      views: first.views,
      createdAt: first.creationDate.toISOString(),
      duration: first.duration,
      vodOffset: first.vodOffset,
      language: first.language,
    },
  }),
);
