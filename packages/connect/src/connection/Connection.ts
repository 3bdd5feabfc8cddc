/**
 * Connections to other systems, as `frazil.yaml` declares them: where, who, how safe. Apart from rules and pipelines.
 *
 * Lookups and sinks are given one by name. A declaration holds places of secrets, never secrets, so that it can be shown and
 * kept under version control. `FRAZIL_CONNECTION_<NAME>_URL` in the environment wins over a connection's `url`.
 */
import { Option, Result, Schema } from "effect"
import { ConnectionError } from "./ConnectionError.ts"
import { problemPaths } from "./ProblemPaths.ts"
import { SecretSource } from "./Secret.ts"

const PoolSize = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 }))

/** Certificates are always verified. */
const Tls = Schema.Struct({
  /** PEM file of who may sign the server's certificate, instead of whom the system trusts. */
  ca: Schema.optionalKey(Schema.NonEmptyString),
  /** The name that the certificate must have, when it is not the host's. */
  server_name: Schema.optionalKey(Schema.NonEmptyString),
  /** PEM file of our own certificate, when the server asks for one, and its key. */
  certificate: Schema.optionalKey(Schema.NonEmptyString),
  key: Schema.optionalKey(SecretSource)
})

const HttpAuth = Schema.Union([
  Schema.Struct({ bearer: SecretSource }),
  Schema.Struct({ basic: Schema.Struct({ user: Schema.String, password: SecretSource }) }),
  Schema.Struct({ header: Schema.NonEmptyString, value: SecretSource })
])

const Http = Schema.Struct({
  kind: Schema.Literal("http"),
  url: Schema.NonEmptyString,
  auth: Schema.optionalKey(HttpAuth),
  tls: Schema.optionalKey(Tls),
  /** Sockets at most; one call uses one. Default 1,024. */
  pool: Schema.optionalKey(PoolSize),
  /** Signs what a webhook sends (HMAC-SHA256). */
  signing: Schema.optionalKey(SecretSource)
})

const Postgres = Schema.Struct({
  kind: Schema.Literal("postgres"),
  /** `postgres://USER@HOST:PORT/DATABASE`, without a password. */
  url: Schema.NonEmptyString,
  password: Schema.optionalKey(SecretSource),
  tls: Schema.optionalKey(Tls),
  /** Connections at most. Default 8. */
  pool: Schema.optionalKey(PoolSize)
})

const DuckDbFile = Schema.Struct({ kind: Schema.Literal("duckdb"), file: Schema.NonEmptyString })

const Redis = Schema.Struct({
  kind: Schema.Literal("redis"),
  /** `redis://HOST:PORT/DATABASE` or `rediss://…`, without a password. */
  url: Schema.NonEmptyString,
  user: Schema.optionalKey(Schema.String),
  password: Schema.optionalKey(SecretSource),
  tls: Schema.optionalKey(Tls)
})

const Kafka = Schema.Struct({
  kind: Schema.Literal("kafka"),
  /** `kafka://HOST:PORT[,HOST:PORT]`; `--log` names one of these addresses. */
  url: Schema.NonEmptyString,
  user: Schema.optionalKey(Schema.NonEmptyString),
  password: Schema.optionalKey(SecretSource),
  /** How the password is told. Default scram-sha-512. */
  mechanism: Schema.optionalKey(Schema.Literals(["plain", "scram-sha-256", "scram-sha-512"])),
  /** Present: connections are encrypted; `tls: {}` trusts whom the system trusts. */
  tls: Schema.optionalKey(Tls)
})

/** A catalog; `--catalog` gives its url. Who is trusted to be it is up to the runtime (`NODE_EXTRA_CA_CERTS`). */
const IcebergRest = Schema.Struct({
  kind: Schema.Literal("iceberg-rest"),
  url: Schema.NonEmptyString,
  /** What the server calls the warehouse, where it has several. */
  warehouse: Schema.optionalKey(Schema.NonEmptyString),
  bearer: Schema.optionalKey(SecretSource),
  oauth2: Schema.optionalKey(
    Schema.Struct({
      /** Of tokens. The catalog's own when left out. */
      url: Schema.optionalKey(Schema.NonEmptyString),
      client_id: Schema.NonEmptyString,
      client_secret: SecretSource,
      scope: Schema.optionalKey(Schema.NonEmptyString)
    })
  )
})

/** A store of objects; `--warehouse s3://BUCKET/…` finds it by its bucket. */
const S3 = Schema.Struct({
  kind: Schema.Literal("s3"),
  /** Amazon's of the region when left out. */
  url: Schema.optionalKey(Schema.NonEmptyString),
  /** Every bucket when left out. */
  bucket: Schema.optionalKey(Schema.NonEmptyString),
  region: Schema.optionalKey(Schema.NonEmptyString),
  access_key: SecretSource,
  secret_key: SecretSource,
  session_token: Schema.optionalKey(SecretSource),
  /** Whether the bucket stands in the path or before the host. By default in the path when there is a url. */
  addressing: Schema.optionalKey(Schema.Literals(["path", "virtual"]))
})

const ConnectionSchema = Schema.Union([Http, Postgres, DuckDbFile, Redis, Kafka, IcebergRest, S3])

export type HttpConnection = typeof Http.Type
export type PostgresConnection = typeof Postgres.Type
export type DuckDbConnection = typeof DuckDbFile.Type

export type RedisConnection = typeof Redis.Type
export type KafkaConnection = typeof Kafka.Type
export type Connection = typeof ConnectionSchema.Type

export type Connections = ReadonlyMap<string, Connection>

const namePattern = /^[a-z][a-z0-9-]{0,63}$/
const schemes: Readonly<Record<Exclude<Connection["kind"], "duckdb" | "kafka">, RegExp>> = {
  http: /^https?:$/,
  "iceberg-rest": /^https?:$/,
  s3: /^https?:$/,
  postgres: /^postgres(ql)?:$/,
  redis: /^rediss?:$/
}

const invalid = (name: string, what: string): ConnectionError =>
  new ConnectionError({ reason: "Invalid", message: `connection "${name}": ${what}` })

const kafkaUrl = /^kafka:\/\/[^/@\s,]+:\d{1,5}(,[^/@\s,]+:\d{1,5})*$/

const urlProblem = (connection: Exclude<Connection, DuckDbConnection>): string | undefined => {
  if (connection.kind === "kafka") {
    if (!kafkaUrl.test(connection.url)) return "a url of kafka is kafka://HOST:PORT[,HOST:PORT], without a user"
    return (connection.user === undefined) === (connection.password === undefined)
      ? undefined
      : "a user needs a password, and a password a user"
  }
  if (connection.url === undefined) return undefined
  if (connection.kind === "iceberg-rest" && connection.bearer !== undefined && connection.oauth2 !== undefined) {
    return "it has both bearer and oauth2: give one"
  }
  let url: URL
  try {
    url = new URL(connection.url)
  } catch {
    // told below: the text may hold a secret
    return "its url is none"
  }
  if (!schemes[connection.kind].test(url.protocol))
    return `a url of ${connection.kind} does not begin with ${url.protocol}`
  if (url.password !== "")
    return "its url holds a password: take it out and say where it lies, as in password: { env: NAME }"
  if (connection.kind === "http" && url.username !== "") return "its url names a user: say it with auth"
  if ((connection.kind === "s3" || connection.kind === "iceberg-rest") && url.username !== "")
    return "its url names a user: take it out"
  return undefined
}

const decodeOne = (
  name: string,
  declared: unknown,
  urlInstead: string | undefined
): Result.Result<Connection, ConnectionError> => {
  if (!namePattern.test(name)) return Result.fail(invalid(name, "a name is small letters, digits and -"))
  const given =
    urlInstead !== undefined && typeof declared === "object" && declared !== null
      ? { ...declared, url: urlInstead }
      : declared
  const decoded = Schema.decodeUnknownResult(ConnectionSchema, { onExcessProperty: "error" })(given)
  if (Result.isFailure(decoded)) {
    const where = problemPaths(decoded.failure.issue)
    return Result.fail(
      invalid(
        name,
        `it must be of kind http, postgres, duckdb, redis, kafka, iceberg-rest or s3 with the fields of that kind${where}; a secret is { env: NAME }, { file: PATH } or { command: [PROGRAM, …] }`
      )
    )
  }
  const connection = decoded.success
  const problem = connection.kind === "duckdb" ? undefined : urlProblem(connection)
  return problem === undefined ? Result.succeed(connection) : Result.fail(invalid(name, problem))
}

/** The variable that wins over a connection's `url`. */
const urlVariable = (name: string): string => `FRAZIL_CONNECTION_${name.replaceAll("-", "_").toUpperCase()}_URL`

export interface DecodedConnections {
  readonly connections: Connections
  readonly problems: ReadonlyArray<ConnectionError>
}

/** Reads a settings file's `connections`; `environment` gives a variable's value. Tells every problem. */
export const decodeConnections = (
  declared: unknown,
  environment: (name: string) => string | undefined
): DecodedConnections => {
  if (declared === undefined || declared === null) return { connections: new Map(), problems: [] }
  if (typeof declared !== "object" || Array.isArray(declared)) {
    const message = "connections must be a list of names, each with a kind"
    return { connections: new Map(), problems: [new ConnectionError({ reason: "Invalid", message })] }
  }
  const connections = new Map<string, Connection>()
  const problems: Array<ConnectionError> = []
  for (const [name, each] of Object.entries(declared)) {
    const decoded = decodeOne(name, each, environment(urlVariable(name)))
    if (Result.isSuccess(decoded)) connections.set(name, decoded.success)
    else problems.push(decoded.failure)
  }
  return { connections, problems }
}

/** The connection of that name and kind. */
export const connectionOf = <K extends Connection["kind"]>(
  connections: Connections,
  name: string,
  kinds: ReadonlyArray<K>
): Result.Result<Extract<Connection, { readonly kind: K }>, ConnectionError> => {
  const found = connections.get(name)
  const isWanted = (each: Connection): each is Extract<Connection, { readonly kind: K }> =>
    kinds.some((kind) => kind === each.kind)
  if (found !== undefined && isWanted(found)) return Result.succeed(found)
  return Result.fail(
    found === undefined
      ? new ConnectionError({
          reason: "Undeclared",
          message: `there is no connection "${name}": declare it in frazil.yaml under connections, of kind ${kinds.join(" or ")}`
        })
      : invalid(name, `it is of kind ${found.kind}, and ${kinds.join(" or ")} is needed`)
  )
}

/** Each secret that a connection names, by the field it stands in. */
export const secretsOf = (connection: Connection): ReadonlyArray<readonly [field: string, source: SecretSource]> => {
  const named: Array<readonly [string, SecretSource | undefined]> = []
  if (connection.kind === "duckdb") return []
  if (connection.kind === "s3") {
    named.push(["access_key", connection.access_key], ["secret_key", connection.secret_key])
    named.push(["session_token", connection.session_token])
  } else if (connection.kind === "iceberg-rest") {
    named.push(["bearer", connection.bearer], ["oauth2.client_secret", connection.oauth2?.client_secret])
  } else named.push(["tls.key", connection.tls?.key])
  if (connection.kind === "http") {
    const { auth } = connection
    named.push(["signing", connection.signing])
    if (auth !== undefined) {
      if ("bearer" in auth) named.push(["auth.bearer", auth.bearer])
      else if ("basic" in auth) named.push(["auth.basic.password", auth.basic.password])
      else named.push(["auth.value", auth.value])
    }
  } else if ("password" in connection) {
    named.push(["password", connection.password])
  }
  return named.flatMap(([field, source]) =>
    Option.match(Option.fromUndefinedOr(source), { onNone: () => [], onSome: (each) => [[field, each] as const] })
  )
}
