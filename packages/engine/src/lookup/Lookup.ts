/**
 * What a lookup asks: a service that answers one key, or several in one call, and says what each of its failures means.
 *
 * `Flow.lookup` takes the class that `service` makes; connectors (HTTP, SQL) make its layer; `run/lookup` calls it under the
 * flow's policy. Timeouts, retries, the breaker and the cache are the policy's: a service only asks.
 */
import { Context, type Effect, type Result, type Schema } from "effect"

/** A failure of a service: a tagged error with a message for people that quotes no record. */
export interface LookupFailure {
  readonly _tag: string
  readonly message: string
  /** How long the other side asked to be left alone, as `Retry-After` says. */
  readonly retryAfterMs?: number | undefined
}

/**
 * What a failure means to the policy.
 *
 * `absent`: the other side has nothing under this key; final, and remembered for the cache's `negativeTtl`.
 * `final`: asking again would change nothing (refused, an answer that makes no sense).
 * `transient`: the other side could not answer now; asked again, and the breaker counts it.
 * `overloaded`: the other side wants fewer calls (429); asked again, later and less.
 */
export type FailureKind = "absent" | "final" | "transient" | "overloaded"

/** Each failure of `Err` by its tag: its kind, or how to tell it. */
export type FailureKinds<Err extends LookupFailure> = {
  readonly [Tag in Err["_tag"]]: FailureKind | ((failure: Extract<Err, { readonly _tag: Tag }>) => FailureKind)
}

/** What an app or a connector implements. */
export interface LookupShape<Key, Answer, Err> {
  /** Asks once. Interrupted when it takes longer than the policy's timeout. */
  readonly lookup: (key: Key) => Effect.Effect<Answer, Err>
  /** Asks for several keys in one call: one result for each, in their order; a failure of the call is every key's. */
  readonly lookupMany?: (keys: ReadonlyArray<Key>) => Effect.Effect<ReadonlyArray<Result.Result<Answer, Err>>, Err>
}

/** What is known of a service when a flow is declared. */
export interface LookupDeclaration<Answer, Err extends LookupFailure> {
  /** The answer's fields, made with `Field`, so that expressions behind the lookup can read them. */
  readonly answer: Schema.Codec<Answer, unknown>
  readonly failures: FailureKinds<Err>
  /** The failure that stands for a call, or a record's whole deadline, that took too long. */
  readonly timeout: (message: string) => Err
  /** The failure that stands for calls that are not made because the breaker is open. */
  readonly unavailable: (message: string) => Err
}

/** A service's class, as `Flow.lookup` takes it. */
export interface LookupTag<out Id, in out Key, out Answer, out Err> extends Context.Key<
  Id,
  LookupShape<Key, Answer, Err>
> {
  readonly declaration: {
    readonly answer: Schema.Codec<Answer, unknown>
    readonly failures: Readonly<Record<string, FailureKind | ((failure: never) => FailureKind)>>
    readonly timeout: (message: string) => Err
    readonly unavailable: (message: string) => Err
  }
}

/**
 * Declares a lookup service, as `Context.Service` does, with its answer and what its failures mean.
 *
 * ```ts
 * class Claims extends Lookup.Service<Claims, string, Claim, ClaimNotFound | DbError | DbTimeout>()("@frazil/flows/Claims", {
 *   answer: Claim,
 *   failures: { ClaimNotFound: "absent", DbError: "transient", DbTimeout: "transient" },
 *   timeout: (message) => new DbTimeout({ message }),
 *   unavailable: (message) => new DbError({ message })
 * }) {}
 * ```
 */
export const Service =
  <Self, Key, Answer extends object, Err extends LookupFailure>() =>
  <const Id extends string>(
    id: Id,
    declaration: LookupDeclaration<Answer, Err>
  ): Context.ServiceClass<Self, Id, LookupShape<Key, Answer, Err>> & {
    readonly declaration: LookupDeclaration<Answer, Err>
  } =>
    Object.assign(Context.Service<Self, LookupShape<Key, Answer, Err>>()(id), { declaration })
