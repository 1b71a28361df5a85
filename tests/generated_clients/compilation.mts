// Make one compilation by openapi-fetch with the types that openapi-typescript generates.
// Arguments: the URL of the API and a file with the clip. The key is in CLIPMILL_API_KEY. Prints JSON.

import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { argv: string[]; env: Record<string, string>; getBuiltinModule(name: "node:fs"): { readFileSync(path: string): Uint8Array<ArrayBuffer> } };

const [url, clip] = process.argv.slice(2) as [string, string];
const headers = { Authorization: `Bearer ${process.env.CLIPMILL_API_KEY}` };
const client = createClient<paths>({ baseUrl: url, headers });

function required<T>(result: { data?: T; error?: unknown }): T {
  if (result.data === undefined) throw new Error(JSON.stringify(result.error));
  return result.data;
}

const media = required(await client.POST("/api/v1/media", {
  body: { file: "", kind: "clip" },
  bodySerializer: () => {
    const form = new FormData();
    form.append("file", new Blob([process.getBuiltinModule("node:fs").readFileSync(clip)]), "clip.mp4");
    return form;
  },
}));
const manifest: components["schemas"]["Manifest"] = {
  apiVersion: "clipmill.dev/v1alpha1",
  kind: "Compilation",
  metadata: { name: "typed" },
  spec: {
    clips: [{ mediaId: media.id }],
    outputs: [{ name: "main", preset: "custom", width: 320, height: 180, rate: 30 }],
  },
};
const plan = required(await client.POST("/api/v1/plan", { body: manifest }));
let view = required(await client.POST("/api/v1/compilations", { body: manifest }));
const params = { path: { compilation_id: view.id } };
while (["Pending", "Fetching", "Rendering"].includes(view.state)) {
  await new Promise((resolve) => setTimeout(resolve, 200));
  view = required(await client.GET("/api/v1/compilations/{compilation_id}", { params }));
}
const video = required(await client.GET("/api/v1/compilations/{compilation_id}/outputs/{file}", {
  params: { path: { ...params.path, file: "main" } },
  parseAs: "arrayBuffer",
}));
const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", video as unknown as ArrayBuffer));
const missing = await client.GET("/api/v1/compilations/{compilation_id}", {
  params: { path: { compilation_id: "c-0123456789abcdef" } },
});
console.log(JSON.stringify({
  frames: plan.outputs?.[0]?.frames,
  state: view.state,
  used: view.usedSeconds,
  sha256: [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join(""),
  expected: view.outputs?.[0]?.sha256,
  missing: missing.error?.code,
}));
