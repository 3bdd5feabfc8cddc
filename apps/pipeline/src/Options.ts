/**
 * The options of `bun run apps/pipeline`, as a person types them and as the run takes them.
 */
import type { DeclaredSink } from "@frazil/connect"
import { Decimal } from "@frazil/core"
import { Flags, thresholdsDefault } from "@frazil/platform"
import {
  claimsCachedDefault,
  flows,
  flowsByDefault,
  type FlowSettings,
  largeClaimsOverDefault,
  ruleTopics
} from "@frazil/flows"
import { rulesDirectory } from "@frazil/lakehouse"
import { loadRules, type RuleSet } from "@frazil/rules"
import { Config, Effect, Option, Result, Schema } from "effect"
import { Flag } from "effect/cli"

export class OptionError extends Schema.TaggedError<OptionError>()("OptionError", { message: Schema.String }) {}

/** Each costs some memory, and a topic has as many partitions as can be run apart. */
const threadsCountMax = 64
/** Some 300 MB. */
const claimsCachedMax = 1_000_000

export const flags = {
  ...Flags.location,
  jobs: Flag.String("jobs").pipe(
    Flag.withDescription("Flows to run, by name, separated by commas; all when left out"),
    Flag.withMetavar("a,b"),
    Flag.withFallbackConfig(Config.String("FRAZIL_JOBS")),
    Flag.optional
  ),
  input: Flag.String("input").pipe(
    Flag.withDescription(
      "Feed the topic from the file, a line a record, exactly once; the run ends when all of it has landed. Repeatable"
    ),
    Flag.withMetavar("TOPIC=FILE.ndjson"),
    Flag.atLeast(0)
  ),
  rules: Flag.String("rules").pipe(
    Flag.withDescription(
      "The rules to judge by: a directory of YAML documents, or one of them (default: lakehouse/rules)"
    ),
    Flag.withMetavar("DIR"),
    Flag.withFallbackConfig(Config.String("FRAZIL_RULES")),
    Flag.optional
  ),
  epoch: Flags.duration("epoch", "FRAZIL_EPOCH"),
  checkpointEvery: Flags.duration("checkpoint-every", "FRAZIL_CHECKPOINT_EVERY"),
  lakeCommitEvery: Flags.duration("lake-commit-every", "FRAZIL_LAKE_COMMIT_EVERY"),
  logRetention: Flags.duration("log-retention", "FRAZIL_LOG_RETENTION").pipe(
    Flag.withDescription("Remove records from the log that are older and that everybody has read (default: none)")
  ),
  noGenerator: Flag.Boolean("no-generator").pipe(Flag.withDescription("Generate nothing"), Flag.withDefault(false)),
  noGateway: Flag.Boolean("no-gateway").pipe(
    Flag.withDescription("Answer nothing over HTTP; a run that ends by itself never does"),
    Flag.withDefault(false)
  ),
  port: Flags.port,
  rate: Flag.Finite("rate").pipe(
    Flag.withDescription("Generated events of each kind per second"),
    Flag.withFallbackConfig(Config.Finite("FRAZIL_RATE")),
    Flag.withDefault(10)
  ),
  count: Flag.Int("count").pipe(
    Flag.withDescription("Stop after so many generated events of each kind, when all have landed"),
    Flag.optional
  ),
  seed: Flag.Int("seed").pipe(
    Flag.withDescription("The same seed makes the same events (default: another one each time)"),
    Flag.optional
  ),
  alertLag: Flag.Int("alert-lag").pipe(
    Flag.withDescription("Tell the topic operations-alerts when a job is further behind a topic than so many records"),
    Flag.withMetavar("N"),
    Flag.withFallbackConfig(Config.Int("FRAZIL_ALERT_LAG")),
    Flag.withDefault(thresholdsDefault.lagRecordsMax)
  ),
  largeClaimsOver: Flag.String("large-claims-over").pipe(
    Flag.withDescription("Payments on claims over this amount go to large-claims"),
    Flag.withMetavar("AMOUNT"),
    Flag.withFallbackConfig(Config.String("FRAZIL_LARGE_CLAIMS_OVER")),
    Flag.withDefault(largeClaimsOverDefault.toString())
  ),
  claimsCache: Flag.Int("claims-cache").pipe(
    Flag.withDescription(`Claims whose answers are kept for a minute, 0 for none, at most ${claimsCachedMax}`),
    Flag.withMetavar("N"),
    Flag.withFallbackConfig(Config.Int("FRAZIL_CLAIMS_CACHE")),
    Flag.withDefault(claimsCachedDefault)
  ),
  parallelism: Flag.Int("parallelism").pipe(
    Flag.withDescription(
      `Run the jobs on so many threads, each with its own shards of every topic, 1 to ${threadsCountMax}; answers are the same whatever it is`
    ),
    Flag.withMetavar("N"),
    Flag.withFallbackConfig(Config.Int("FRAZIL_PARALLELISM")),
    Flag.withDefault(1)
  ),
  instance: Flag.String("instance").pipe(
    Flag.withDescription(
      "On Kafka, the name of this one among the pipelines that share the work; under it a restarted one goes on with what it had"
    ),
    Flag.withMetavar("NAME"),
    Flag.withFallbackConfig(Config.String("FRAZIL_INSTANCE")),
    Flag.optional
  ),
  summary: Flag.String("summary").pipe(
    Flag.withDescription("Write the summary to this file as JSON"),
    Flag.withMetavar("FILE.json"),
    Flag.optional
  ),
  verbose: Flags.verbose
}

/** What the flags parse to. */
export interface PipelineFlags {
  readonly data: string
  readonly warehouse: Option.Option<string>
  readonly checkpoints: Option.Option<string>
  readonly jobs: Option.Option<string>
  readonly input: ReadonlyArray<string>
  readonly rules: Option.Option<string>
  readonly epoch: Option.Option<number>
  readonly checkpointEvery: Option.Option<number>
  readonly lakeCommitEvery: Option.Option<number>
  readonly logRetention: Option.Option<number>
  readonly noGenerator: boolean
  readonly noGateway: boolean
  readonly port: number
  readonly rate: number
  readonly count: Option.Option<number>
  readonly seed: Option.Option<number>
  readonly alertLag: number
  readonly largeClaimsOver: string
  readonly claimsCache: number
  readonly parallelism: number
  readonly instance: Option.Option<string>
  readonly summary: Option.Option<string>
}

/** What a run does. */
export interface PipelineOptions {
  readonly flows: ReadonlyArray<keyof typeof flows>
  /** What the flows judge by. */
  readonly rules: RuleSet
  /** Files by topic; with any, the run is bounded and generates nothing. */
  readonly inputs: ReadonlyMap<string, string>
  readonly generator:
    | { readonly rate: number; readonly count: number | undefined; readonly seed: number | undefined }
    | undefined
  /** Ends by itself when everything has gone through. */
  readonly bounded: boolean
  readonly epochMs: number
  /** An epoch's bound; the engine's own unless given. */
  readonly epochRecords?: number
  readonly checkpointEveryMs: number
  readonly lakeCommitEveryMs: number
  /** A topic that a job is further behind than this is an alert. */
  readonly alertLagRecords: number
  /** What is said of flows; their own defaults unless given. */
  readonly settings?: FlowSettings
  /** Records older than this leave the log once everybody has read them; undefined: none ever does. */
  readonly logRetentionMs?: number | undefined
  /** Where connections are declared; `frazil.yaml` of the working directory unless given. */
  readonly settingsFile?: string
  /** What `frazil.yaml` declares; none unless given. */
  readonly sinks?: ReadonlyArray<DeclaredSink>
  /** Threads that run the jobs; 1, or left out: they run in the main thread. */
  readonly parallelism?: number
  /** Of this pipeline among those on the same Kafka log; undefined: one is found. */
  readonly instance?: string | undefined
  /** Where the gateway listens; undefined for none. */
  readonly gatewayPort?: number | undefined
}

const parseAmount = (text: string) => {
  const amount = Decimal.fromText(text, 2)
  return Result.isSuccess(amount) && !amount.success.lt(0)
    ? Effect.succeed(amount.success)
    : Effect.fail(new OptionError({ message: `--large-claims-over takes an amount such as 10000 or 2500.50` }))
}

const parseCache = (entries: number) =>
  entries >= 0 && entries <= claimsCachedMax
    ? Effect.succeed(entries)
    : Effect.fail(new OptionError({ message: `--claims-cache takes a number from 0 to ${claimsCachedMax}` }))

const parseParallelism = (threads: number) =>
  threads >= 1 && threads <= threadsCountMax
    ? Effect.succeed(threads)
    : Effect.fail(new OptionError({ message: `--parallelism takes a number of threads from 1 to ${threadsCountMax}` }))

const parseInstance = (given: Option.Option<string>) => {
  const name = Option.getOrUndefined(given)
  return name === undefined || /^[A-Za-z0-9._-]{1,200}$/.test(name)
    ? Effect.succeed(name)
    : Effect.fail(
        new OptionError({ message: "--instance takes a name of letters, digits, dots, dashes and underscores" })
      )
}

const isFlow = (name: string): name is keyof typeof flows => Object.hasOwn(flows, name)

const parseFlows = (text: Option.Option<string>) => {
  const names = Option.match(text, {
    onNone: (): Array<string> => [...flowsByDefault],
    onSome: (list) => list.split(",").map((name) => name.trim())
  })
  const unknown = names.filter((name) => !isFlow(name))
  return unknown.length > 0
    ? Effect.fail(
        new OptionError({
          message: `no flow is named ${unknown.join(", ")}: --jobs takes ${Object.keys(flows).join(", ")}`
        })
      )
    : Effect.succeed(names.filter(isFlow))
}

const parseInputs = Effect.fnUntraced(function* (inputs: ReadonlyArray<string>, topics: ReadonlyArray<string>) {
  const files = new Map<string, string>()
  for (const input of inputs) {
    const at = input.indexOf("=")
    const topic = input.slice(0, at)
    const file = input.slice(at + 1)
    if (at < 1 || file === "")
      return yield* new OptionError({ message: `--input takes TOPIC=FILE.ndjson, not "${input}"` })
    if (!topics.includes(topic)) {
      return yield* new OptionError({
        message: `--input: no job of this run takes topic ${topic}; topics are ${topics.join(", ")}`
      })
    }
    if (files.has(topic)) return yield* new OptionError({ message: `--input: topic ${topic} is given two files` })
    files.set(topic, file)
  }
  return files
})

/** The run that the flags ask for. `topicsOf` tells which topics the flows of a run take from outside. */
export const parseOptions = Effect.fnUntraced(function* (
  given: PipelineFlags,
  topicsOf: (names: PipelineOptions["flows"]) => ReadonlyArray<string>
) {
  const names = yield* parseFlows(given.jobs)
  const inputs = yield* parseInputs(given.input, topicsOf(names))
  const bounded = inputs.size > 0 || Option.isSome(given.count)
  const count = Option.getOrUndefined(given.count)
  if (count !== undefined && (count < 1 || inputs.size > 0)) {
    return yield* new OptionError({ message: "--count takes a number from 1 on, and no --input beside it" })
  }
  return {
    flows: names,
    rules: yield* loadRules(
      Option.getOrElse(given.rules, () => rulesDirectory),
      ruleTopics
    ),
    inputs,
    generator:
      inputs.size > 0 || given.noGenerator
        ? undefined
        : { rate: given.rate, count, seed: Option.getOrUndefined(given.seed) },
    bounded,
    // a bounded run has nobody waiting for the next 200 ms
    epochMs: Option.getOrElse(given.epoch, () => (inputs.size > 0 ? 1000 : 200)),
    checkpointEveryMs: Option.getOrElse(given.checkpointEvery, () => 30_000),
    lakeCommitEveryMs: Option.getOrElse(given.lakeCommitEvery, () => (inputs.size > 0 ? 300_000 : 10_000)),
    alertLagRecords: given.alertLag,
    settings: {
      largeClaimsOver: yield* parseAmount(given.largeClaimsOver),
      claimsCached: yield* parseCache(given.claimsCache)
    },
    logRetentionMs: Option.getOrUndefined(given.logRetention),
    instance: yield* parseInstance(given.instance),
    parallelism: yield* parseParallelism(given.parallelism),
    gatewayPort: bounded || given.noGateway ? undefined : given.port
  } satisfies PipelineOptions
})
