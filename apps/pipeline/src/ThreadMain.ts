/** A thread of a pipeline as it begins; it runs what `RunOnThread.ts` has. */
import { startProgram } from "@frazil/platform/start"

await startProgram(import.meta.url, async () => (await import("./RunOnThread.ts")).runOnThread)
