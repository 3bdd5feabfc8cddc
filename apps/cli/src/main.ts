/** `bun run frazil AREA VERB`: everything a person asks of a running or stopped system. */
import { startApp } from "@frazil/platform/start"

await startApp(import.meta.url, async () => (await import("./FrazilCommand.ts")).frazilCommand)
