/**
 * Who we are at a catalog and at a store of objects: what connections of `frazil.yaml` say, or the environment.
 *
 * `Layers.ts` asks when a layer is built; secrets are read then, and are `Redacted`.
 */
import { ConnectionError, type Connections, type Connection, readSecret } from "@frazil/connect"
import { type S3Options, s3Place } from "@frazil/core"
import type { RestAccess, RestCatalogOptions } from "@frazil/lake"
import { Config, Effect, Option } from "effect"
import { catalogUrl } from "./CatalogPlace.ts"
import { readConnections, settingsPath } from "./SettingsFile.ts"

type OfKind<K extends Connection["kind"]> = Extract<Connection, { readonly kind: K }>

const find = <K extends Connection["kind"]>(
  connections: Connections,
  kind: K,
  matches: (connection: OfKind<K>) => boolean
): readonly [name: string, connection: OfKind<K>] | undefined => {
  const isOfKind = (each: Connection): each is OfKind<K> => each.kind === kind
  for (const [name, connection] of connections) {
    if (isOfKind(connection) && matches(connection)) return [name, connection]
  }
  return undefined
}

const declaredIn = (settingsFile: string) =>
  Effect.map(
    Effect.mapError(
      readConnections(settingsFile),
      ({ message }) => new ConnectionError({ reason: "Invalid", message })
    ),
    ({ connections }) => connections
  )

const accessOf = Effect.fnUntraced(function* (name: string, { bearer, oauth2 }: OfKind<"iceberg-rest">) {
  const none: RestAccess = { _tag: "None" }
  if (bearer !== undefined) {
    return { _tag: "Bearer", token: yield* readSecret(name, bearer) } satisfies RestAccess
  }
  if (oauth2 === undefined) return none
  return {
    _tag: "OAuth2",
    clientId: oauth2.client_id,
    clientSecret: yield* readSecret(name, oauth2.client_secret),
    ...(oauth2.url === undefined ? {} : { tokenUrl: oauth2.url }),
    ...(oauth2.scope === undefined ? {} : { scope: oauth2.scope })
  } satisfies RestAccess
})

/** How the catalog at `url` is asked; the connection of kind iceberg-rest with this url says who we are. */
export const restOptions = Effect.fnUntraced(function* (
  url: string,
  tablesUri: string,
  settingsFile: string = settingsPath
): Effect.fn.Return<RestCatalogOptions, ConnectionError> {
  const found = find(yield* declaredIn(settingsFile), "iceberg-rest", (each) => catalogUrl(each.url) === url)
  if (found === undefined) return { url, tablesUri }
  const [name, connection] = found
  return {
    url,
    tablesUri,
    access: yield* accessOf(name, connection),
    ...(connection.warehouse === undefined ? {} : { warehouse: connection.warehouse })
  }
})

const regionDefault = "us-east-1"

const optional = <A>(config: Config.Config<A>) =>
  Effect.map(
    Effect.orElseSucceed(Config.option(config), () => Option.none<A>()),
    Option.getOrUndefined
  )

/** The variables that Amazon's own programs read. */
const fromEnvironment = Effect.fnUntraced(function* (root: string) {
  const accessKeyId = yield* optional(Config.Redacted("AWS_ACCESS_KEY_ID"))
  const secretAccessKey = yield* optional(Config.Redacted("AWS_SECRET_ACCESS_KEY"))
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    return yield* new ConnectionError({
      reason: "SecretMissing",
      message: `${root}: nothing says who we are there: declare a connection of kind s3 in frazil.yaml, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`
    })
  }
  const sessionToken = yield* optional(Config.Redacted("AWS_SESSION_TOKEN"))
  const endpoint =
    (yield* optional(Config.String("AWS_ENDPOINT_URL_S3"))) ?? (yield* optional(Config.String("AWS_ENDPOINT_URL")))
  const region =
    (yield* optional(Config.String("AWS_REGION"))) ?? (yield* optional(Config.String("AWS_DEFAULT_REGION")))
  return {
    root,
    region: region ?? regionDefault,
    accessKeyId,
    secretAccessKey,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(sessionToken === undefined ? {} : { sessionToken })
  } satisfies S3Options
})

/**
 * How the store below `root` is asked: the connection of kind s3 with its bucket, else one without a bucket, else the
 * environment.
 */
export const s3Options = Effect.fnUntraced(function* (
  root: string,
  settingsFile: string = settingsPath
): Effect.fn.Return<S3Options, ConnectionError> {
  const connections = yield* declaredIn(settingsFile)
  const bucket = s3Place(root)?.bucket
  const found =
    find(connections, "s3", (each) => each.bucket === bucket) ??
    find(connections, "s3", (each) => each.bucket === undefined)
  if (found === undefined) return yield* fromEnvironment(root)
  const [name, connection] = found
  return {
    root,
    region: connection.region ?? regionDefault,
    accessKeyId: yield* readSecret(name, connection.access_key),
    secretAccessKey: yield* readSecret(name, connection.secret_key),
    ...(connection.url === undefined ? {} : { endpoint: connection.url }),
    ...(connection.addressing === undefined ? {} : { addressing: connection.addressing }),
    ...(connection.session_token === undefined
      ? {}
      : { sessionToken: yield* readSecret(name, connection.session_token) })
  }
})

const cacheBytesDefault = 8 * 1024 ** 3

/** `FRAZIL_CACHE_BYTES`: what local copies of a warehouse on S3 may take on disk. */
export const cacheBytesMax = Effect.map(optional(Config.Int("FRAZIL_CACHE_BYTES")), (given) =>
  given === undefined || given < 0 ? cacheBytesDefault : given
)
