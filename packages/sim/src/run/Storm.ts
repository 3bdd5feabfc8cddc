/** Storms of `kill -9` on the real pipeline, one after the other with other moments, for as long as asked. */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { parseDuration } from "@frazil/core"
import { Clock, Effect } from "effect"
import { say } from "./Tell.ts"

const root = join(import.meta.dirname, "../../../..")
const storm = "apps/pipeline/test/Pipeline.storm.test.ts"

const once = (seed: number) =>
  Effect.callback<boolean>((resume) => {
    const child = spawn("bun", ["--bun", "vitest", "run", "--project", "integration", storm], {
      cwd: root,
      env: { ...process.env, FRAZIL_STORM_SEED: String(seed) },
      stdio: ["ignore", "inherit", "inherit"]
    })
    child.on("close", (code) => resume(Effect.succeed(code === 0)))
  })

/** Whether every storm left behind what the oracle says. `text` is a duration; the last storm is finished. */
export const runStorm = Effect.fnUntraced(function* (text: string, seed: number) {
  const forMs = parseDuration(text)
  if (forMs === undefined) {
    say(`--storm: "${text}" is no duration, such as 60s or 10m`)
    return false
  }
  const endMs = (yield* Clock.currentTimeMillis) + forMs
  for (let next = seed; next === seed || (yield* Clock.currentTimeMillis) < endMs; next++) {
    say(`storm ${next}: again by FRAZIL_STORM_SEED=${next} bun --bun vitest run --project integration ${storm}`)
    if (!(yield* once(next))) return false
  }
  return true
})
