/** `frazil tables`: what is in the lake. */
import { Command } from "effect/cli"
import { auditTableCommand } from "./AuditTable.ts"
import { describeTable } from "./DescribeTable.ts"
import { listFiles } from "./ListFiles.ts"
import { listSnapshotsCommand } from "./ListSnapshots.ts"
import { listTables } from "./ListTables.ts"
import { queryTables } from "./QueryTables.ts"

export const tablesCommand = Command.make("tables").pipe(
  Command.withDescription("Lists, describes, queries and audits the tables of the catalog"),
  Command.withSubcommands([listTables, describeTable, listSnapshotsCommand, listFiles, queryTables, auditTableCommand])
)
