/** `bun run apps/bureau`: the mock credit bureau, on the loopback address, until Ctrl-C. */
import { startApp } from "@frazil/platform/start"

await startApp(import.meta.url, async () => (await import("./BureauCommand.ts")).bureauCommand)
