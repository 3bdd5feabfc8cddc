/**
 * Sinks as `frazil.yaml` declares them: which topic goes to which connection, and in what form. Apart from jobs and rules.
 *
 * `decodeSinks` checks a declaration against the topics' contracts and the connections, before anything runs, and tells
 * every problem; `OpenSink.ts` opens what it accepts. A topic with personal fields is refused to a target that does not say
 * `personal: true`.
 */
import { type FieldSpec, parseDuration, type Topic } from "@frazil/core"
import { Result, Schema } from "effect"
import { type Connection, connectionOf, type DecodedConnections } from "../connection/Connection.ts"
import { problemPaths } from "../connection/ProblemPaths.ts"
import { type FeatureTemplate, readTemplate } from "./FeatureTemplate.ts"

const common = {
  topic: Schema.NonEmptyString,
  connection: Schema.NonEmptyString,
  /** The target may be given personal data. */
  personal: Schema.optionalKey(Schema.Boolean)
}

const Webhook = Schema.Struct({ kind: Schema.Literal("webhook"), ...common })

const Upsert = Schema.Struct({
  kind: Schema.Literal("postgres"),
  ...common,
  table: Schema.NonEmptyString,
  /** Fields whose values are a row's key. */
  key: Schema.NonEmptyArray(Schema.NonEmptyString)
})

const Features = Schema.Struct({
  kind: Schema.Literal("redis"),
  ...common,
  features: Schema.NonEmptyArray(
    Schema.Struct({
      /** Such as `fraud_features:{customer_id}:transaction_count_5min`. */
      key: Schema.NonEmptyString,
      /** The field that is the value. */
      value: Schema.NonEmptyString,
      ttl: Schema.NonEmptyString
    })
  )
})

const SinkSchema = Schema.Union([Webhook, Upsert, Features])
type Declaration = typeof SinkSchema.Type

/** Somebody must change `frazil.yaml`. The message names places and fields, never values. */
class SinkDeclarationError extends Schema.TaggedError<SinkDeclarationError>()("SinkDeclarationError", {
  message: Schema.String
}) {}

/** What a topic's records become. */
export type SinkForm =
  | { readonly kind: "webhook" }
  | { readonly kind: "postgres"; readonly table: string; readonly key: readonly [string, ...ReadonlyArray<string>] }
  | { readonly kind: "redis"; readonly features: ReadonlyArray<FeatureTemplate> }

export interface DeclaredSink {
  /** Names the cursor for life. */
  readonly name: string
  readonly topic: Topic<object>
  readonly connectionName: string
  readonly connection: Connection
  readonly form: SinkForm
}

export interface DecodedSinks {
  readonly sinks: ReadonlyArray<DeclaredSink>
  readonly problems: ReadonlyArray<SinkDeclarationError>
}

export interface SinkContext {
  readonly topics: ReadonlyArray<Topic<object>>
  readonly connections: DecodedConnections
  /** Where refused records go: no sink may read it, or what is refused would come back for ever. */
  readonly deadLetterTopic: string
}

const namePattern = /^[a-z][a-z0-9-]{0,63}$/

const ttlMsMin = 1_000

/** Which kind of connection a kind of sink goes to. */
const connectionKind = { webhook: "http", postgres: "postgres", redis: "redis" } as const

const keyProblem = (topic: Topic<object>, name: string): string | undefined => {
  const field = topic.shape.byName.get(name)
  if (field === undefined) return `topic ${topic.name} has no field "${name}"`
  if (field.nullable) return `field "${name}" may be null, which no key may`
  return field.type._tag === "Json" || field.type._tag === "Double" ? `field "${name}" cannot be a key` : undefined
}

const personalProblem = (given: Declaration, fields: ReadonlyArray<FieldSpec>): string | undefined => {
  const found = fields.filter(({ personal }) => personal).map(({ name }) => `"${name}"`)
  return found.length === 0 || given.personal === true
    ? undefined
    : `it would be given personal data (${found.join(", ")}): say personal: true if it may`
}

type FeatureDeclaration = (typeof Features.Type.features)[number]

const featureOf = (
  topic: Topic<object>,
  { key, ttl, value }: FeatureDeclaration
): Result.Result<FeatureTemplate, string> => {
  const template = readTemplate(topic, key)
  if (Result.isFailure(template)) return Result.fail(template.failure)
  const field = topic.shape.byName.get(value)
  if (field === undefined) return Result.fail(`topic ${topic.name} has no field "${value}"`)
  const ttlMs = parseDuration(ttl)
  if (ttlMs === undefined || ttlMs < ttlMsMin) return Result.fail("ttl is a duration of 1s or more, such as 5m")
  return Result.succeed({ key: template.success, value: field, ttlMs })
}

const formOf = (topic: Topic<object>, given: Declaration): Result.Result<SinkForm, string> => {
  const { byName, fields } = topic.shape
  if (given.kind === "redis") {
    const features: Array<FeatureTemplate> = []
    for (const each of given.features) {
      const feature = featureOf(topic, each)
      if (Result.isFailure(feature)) return Result.fail(feature.failure)
      features.push(feature.success)
    }
    const read = features.flatMap(({ key, value }) => [...key.fields.map((name) => byName.get(name)!), value])
    const problem = personalProblem(given, read)
    return problem === undefined ? Result.succeed({ kind: "redis", features }) : Result.fail(problem)
  }
  const problem =
    given.kind === "postgres"
      ? given.key.map((name) => keyProblem(topic, name)).find((each) => each !== undefined)
      : undefined
  const found = problem ?? personalProblem(given, fields)
  if (found !== undefined) return Result.fail(found)
  return Result.succeed(
    given.kind === "webhook" ? { kind: "webhook" } : { kind: "postgres", table: given.table, key: given.key }
  )
}

const topicOf = (context: SinkContext, name: string): Result.Result<Topic<object>, string> => {
  if (name === context.deadLetterTopic) {
    return Result.fail(`what it refused would come back to it: no sink reads ${name}`)
  }
  const found = context.topics.find((topic) => topic.name === name)
  return found === undefined ? Result.fail(`no contract declares a topic "${name}"`) : Result.succeed(found)
}

const decodeOne = (context: SinkContext, name: string, declared: unknown): Result.Result<DeclaredSink, string> => {
  if (!namePattern.test(name)) return Result.fail("a name is small letters, digits and -")
  const decoded = Schema.decodeUnknownResult(SinkSchema, { onExcessProperty: "error" })(declared)
  if (Result.isFailure(decoded)) {
    const where = problemPaths(decoded.failure.issue)
    return Result.fail(
      `it must be of kind webhook, postgres (table, key) or redis (features of key, value, ttl), with topic and connection${where}`
    )
  }
  const given = decoded.success
  return Result.flatMap(topicOf(context, given.topic), (topic) => {
    const { connection: connectionName } = given
    const { connections, problems } = context.connections
    const connection = connectionOf(connections, connectionName, [connectionKind[given.kind]])
    if (Result.isFailure(connection)) {
      // one that is declared, and wrong, is not one that is missing
      const wrong = problems.find(({ message }) => message.startsWith(`connection "${connectionName}"`))
      return Result.fail((wrong ?? connection.failure).message)
    }
    return Result.map(formOf(topic, given), (form) => ({
      name,
      topic,
      connectionName,
      connection: connection.success,
      form
    }))
  })
}

/** Reads a settings file's `sinks`. Tells every problem. */
export const decodeSinks = (declared: unknown, context: SinkContext): DecodedSinks => {
  if (declared === undefined || declared === null) return { sinks: [], problems: [] }
  if (typeof declared !== "object" || Array.isArray(declared)) {
    const message = "sinks must be a list of names, each with a kind, a topic and a connection"
    return { sinks: [], problems: [new SinkDeclarationError({ message })] }
  }
  const sinks: Array<DeclaredSink> = []
  const problems: Array<SinkDeclarationError> = []
  for (const [name, each] of Object.entries(declared)) {
    const decoded = decodeOne(context, name, each)
    if (Result.isSuccess(decoded)) sinks.push(decoded.success)
    else problems.push(new SinkDeclarationError({ message: `sink "${name}": ${decoded.failure}` }))
  }
  return { sinks, problems }
}
