/** `bun run apps/maintenance ACTION`: upkeep of the tables, once or on a schedule. */
import { startApp } from "@frazil/platform/start"

await startApp(import.meta.url, async () => (await import("./MaintenanceCommand.ts")).maintenanceCommand)
