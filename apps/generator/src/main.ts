/** `bun run apps/generator KIND`: made-up events at a rate, to a topic or a file. */
import { startApp } from "@frazil/platform/start"

await startApp(import.meta.url, async () => (await import("./GeneratorCommand.ts")).generatorCommand)
