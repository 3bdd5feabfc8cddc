/** `frazil jobs`: what runs, and how far it came. */
import { Command } from "effect/cli"
import { listJobs } from "./ListJobs.ts"

export const jobsCommand = Command.make("jobs").pipe(
  Command.withDescription("Lists jobs and landings"),
  Command.withSubcommands([listJobs])
)
