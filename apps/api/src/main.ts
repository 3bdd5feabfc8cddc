/** `bun run apps/api`: the gateway alone, over an existing data directory. */
import { startApp } from "@frazil/platform/start"

await startApp(import.meta.url, async () => (await import("./ApiCommand.ts")).apiCommand)
