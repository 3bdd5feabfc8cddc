/** `bun run apps/pipeline`: the whole system in one process. */
import { startApp } from "@frazil/platform/start"

await startApp(import.meta.url, async () => (await import("./PipelineCommand.ts")).pipelineCommand)
