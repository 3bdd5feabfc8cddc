/** `bun run apps/maintenance ACTION`: upkeep of the tables, once or on a schedule. */
import { runApp } from "@frazil/platform"
import { maintenanceCommand } from "./MaintenanceCommand.ts"

runApp(maintenanceCommand)
