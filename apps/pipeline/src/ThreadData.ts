/**
 * What a thread is started with: all that a run's jobs need, as plain values.
 *
 * `Run.ts` makes it, `ThreadMain.ts` decodes it and has the same jobs of it: rules by their texts, so that files that were
 * changed meanwhile change nothing.
 */
import { Decimal } from "@frazil/core"
import { flows, ruleTopics } from "@frazil/flows"
import type { DataDirectory } from "@frazil/platform"
import { makeRuleSet, type RuleSet } from "@frazil/rules"
import { Result, Schema } from "effect"
import type { PipelineOptions } from "./Options.ts"

// its own keys
const flowNames = Object.keys(flows) as ReadonlyArray<keyof typeof flows>

const ThreadData = Schema.Struct({
  /** Of this thread, from 0 on; and how many there are. */
  index: Schema.Int,
  threads: Schema.Int,
  flows: Schema.Array(Schema.Literals(flowNames)),
  rules: Schema.Array(Schema.Struct({ file: Schema.String, text: Schema.String })),
  largeClaimsOver: Schema.optionalKey(Schema.String),
  claimsCached: Schema.optionalKey(Schema.Int),
  bounded: Schema.Boolean,
  epochMs: Schema.Finite,
  epochRecords: Schema.optionalKey(Schema.Int),
  checkpointEveryMs: Schema.Finite,
  settingsFile: Schema.optionalKey(Schema.String),
  /** Where the embedded bureau listens. */
  bureau: Schema.optionalKey(Schema.String),
  /** Other instances share the work. */
  shared: Schema.Boolean,
  data: Schema.String,
  /** URI of the snapshots' root. */
  checkpoints: Schema.String,
  log: Schema.Union([
    Schema.TaggedStruct("Embedded", {}),
    Schema.TaggedStruct("Kafka", {
      brokers: Schema.NonEmptyArray(Schema.Struct({ host: Schema.String, port: Schema.Int }))
    })
  ])
})
export type ThreadData = typeof ThreadData.Type

export const decodeThreadData = Schema.decodeUnknownSync(ThreadData)

interface Started {
  readonly options: PipelineOptions
  readonly directory: DataDirectory
  readonly bureau: string | undefined
  readonly shared: boolean
}

/** Without the index, which is each thread's own. */
export const threadData = ({ bureau, directory, options, shared }: Started): Omit<ThreadData, "index"> => {
  const { settings = {}, settingsFile } = options
  return {
    threads: options.parallelism ?? 1,
    flows: [...options.flows],
    rules: options.rules.texts.map(({ file, text }) => ({ file, text })),
    ...(settings.largeClaimsOver === undefined ? {} : { largeClaimsOver: settings.largeClaimsOver.toString() }),
    ...(settings.claimsCached === undefined ? {} : { claimsCached: settings.claimsCached }),
    bounded: options.bounded,
    epochMs: options.epochMs,
    ...(options.epochRecords === undefined ? {} : { epochRecords: options.epochRecords }),
    checkpointEveryMs: options.checkpointEveryMs,
    ...(settingsFile === undefined ? {} : { settingsFile }),
    ...(bureau === undefined ? {} : { bureau }),
    shared,
    data: directory.root,
    checkpoints: directory.checkpointsUri,
    log: directory.log
  }
}

/** What the texts were found to be when the run began. */
const rulesOf = ({ rules }: ThreadData): RuleSet =>
  Result.getOrThrowWith(makeRuleSet(rules, ruleTopics), () => new Error("rules that were sound are not any more"))

/** As the flags said it. */
export const jobOptions = (data: ThreadData): Pick<PipelineOptions, "flows" | "rules" | "settings"> => ({
  flows: data.flows,
  rules: rulesOf(data),
  settings: {
    ...(data.largeClaimsOver === undefined
      ? {}
      : { largeClaimsOver: Result.getOrThrow(Decimal.fromText(data.largeClaimsOver, 2)) }),
    ...(data.claimsCached === undefined ? {} : { claimsCached: data.claimsCached })
  }
})
