/** `frazil jobs`: what runs, how far it came, and what it knows of a key. */
import { Command } from "effect/cli"
import { describeJob } from "./DescribeJob.ts"
import { listJobs } from "./ListJobs.ts"
import { showState } from "./ShowState.ts"
import { whyJob } from "./WhyJob.ts"

export const jobsCommand = Command.make("jobs").pipe(
  Command.withDescription(
    "Lists and describes jobs and landings, shows the state of a key, says why something did or did not come"
  ),
  Command.withSubcommands([listJobs, describeJob, showState, whyJob])
)
