/** The command `frazil`: its areas. `main.ts` runs it. */
import { Command } from "effect/cli"
import { claimsCommand } from "./claims/ClaimsCommand.ts"
import { configCommand } from "./config/ConfigCommand.ts"
import { flowsCommand } from "./flows/FlowsCommand.ts"
import { healthCommand } from "./health/HealthCommand.ts"
import { jobsCommand } from "./jobs/JobsCommand.ts"
import { rulesCommand } from "./rules/RulesCommand.ts"
import { tablesCommand } from "./tables/TablesCommand.ts"
import { topicsCommand } from "./topics/TopicsCommand.ts"

export const frazilCommand = Command.make("frazil").pipe(
  Command.withDescription("Asks a running or stopped system: its topics, tables, jobs, rules, lineage and health"),
  Command.withSubcommands([
    topicsCommand,
    tablesCommand,
    jobsCommand,
    rulesCommand,
    flowsCommand,
    claimsCommand,
    configCommand,
    healthCommand
  ])
)
