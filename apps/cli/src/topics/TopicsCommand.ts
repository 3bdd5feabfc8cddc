/** `frazil topics`: what is in the log. */
import { Command } from "effect/cli"
import { describeTopic } from "./DescribeTopic.ts"
import { listTopics } from "./ListTopics.ts"
import { readTopic } from "./ReadTopic.ts"
import { redriveTopic } from "./RedriveTopic.ts"
import { writeTopic } from "./WriteTopic.ts"

export const topicsCommand = Command.make("topics").pipe(
  Command.withDescription("Lists, describes, reads and writes topics of the log, and sends failed records again"),
  Command.withSubcommands([listTopics, describeTopic, readTopic, writeTopic, redriveTopic])
)
