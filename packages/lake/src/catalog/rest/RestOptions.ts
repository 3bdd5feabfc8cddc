/** How a REST catalog is reached: where, who, and how patient. `platform` makes these of a connection in `frazil.yaml`. */
import type { Redacted } from "effect"

export type RestAccess =
  | { readonly _tag: "None" }
  /** A token that somebody else made and renews. */
  | { readonly _tag: "Bearer"; readonly token: Redacted.Redacted }
  /** OAuth2 client credentials (RFC 6749, 4.4). */
  | {
      readonly _tag: "OAuth2"
      /** `<url>/v1/oauth/tokens` when left out: the catalog's own, which the protocol has deprecated. */
      readonly tokenUrl?: string
      readonly clientId: string
      readonly clientSecret: Redacted.Redacted
      /** `catalog` by default. */
      readonly scope?: string
    }

/** Waits double from the first to the longest, each with jitter; a server's Retry-After wins, up to `retryAfterMsMax`. */
export interface RestPatience {
  readonly retriesMax: number
  readonly waitMinMs: number
  readonly waitMaxMs: number
  readonly retryAfterMsMax: number
  /** Of one call. */
  readonly timeoutMs: number
  /** Of a commit, which a server may have to write for. */
  readonly commitTimeoutMs: number
}

export const restPatienceDefault: RestPatience = {
  retriesMax: 5,
  waitMinMs: 100,
  waitMaxMs: 10_000,
  retryAfterMsMax: 60_000,
  timeoutMs: 30_000,
  commitTimeoutMs: 60_000
}

export interface RestCatalogOptions {
  /** `http(s)://HOST[:PORT][/path]`, without `/v1`. */
  readonly url: string
  /** What the server calls the warehouse, where it has several; sent with the first question. */
  readonly warehouse?: string
  /** URI of the folder that new tables lie in; the server's choice when left out. */
  readonly tablesUri?: string
  readonly access?: RestAccess
  readonly patience?: RestPatience
}
