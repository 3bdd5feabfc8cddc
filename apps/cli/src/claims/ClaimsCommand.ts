/** `frazil claims`: the table that payments are enriched from. */
import { Command } from "effect/cli"
import { seedCommand } from "./SeedClaims.ts"

export const claimsCommand = Command.make("claims").pipe(
  Command.withDescription("Fills the table of claims that payments are enriched from"),
  Command.withSubcommands([seedCommand])
)
