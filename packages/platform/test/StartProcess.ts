/** An app that takes as long to load as its standard input stays open, or a command that runs as long. */
import { Effect } from "effect"
import { Command } from "effect/cli"
import { startApp } from "../src/Start.ts"

const inputEnded = new Promise<void>((resolve) => void process.stdin.resume().on("end", resolve))

const command = Command.make("app", {}, () =>
  Effect.suspend(() => {
    process.stdout.write("running\n")
    return Effect.promise(() => inputEnded)
  })
)

const [when] = process.argv.splice(2)
await startApp(import.meta.url, async () => {
  if (when === "loading") {
    process.stdout.write("loading\n")
    await inputEnded
  }
  return command
})
