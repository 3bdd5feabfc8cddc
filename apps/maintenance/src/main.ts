/** `bun run apps/maintenance ACTION`: upkeep of the tables, once or on a schedule. */
import { startApp } from "@frazil/platform/start"

await startApp(async () => (await import("./MaintenanceCommand.ts")).maintenanceCommand)
