/**
 * Messages that the compiler shows when a flow is put together wrongly.
 *
 * Each is the false branch of a conditional on the argument that is wrong: an interface with a telling name and one
 * property that is a sentence.
 */
export interface UnhandledFailure<Tag> {
  readonly "catch it, or send it to a dead letter": Tag
}
export interface RecordDoesNotFit<Field> {
  readonly "the record lacks these fields, or they have another type": Field
}
export interface NotKeyed {
  readonly "call Flow.keyBy before this operator": never
}
export interface UnknownFailure<Tag> {
  readonly "the flow has no failure with this tag": Tag
}

export interface AnswerRepeats<Field> {
  readonly "the answer has fields of the record: use Flow.lookupAs, which keeps it apart": Field
}

export interface TakenTwice<Field> {
  readonly "the record has these fields already: take others, or rename the record's before": Field
}

export interface RecordsDiffer<Field> {
  readonly "the flows hold other records: give both the same fields with Flow.map and a schema": Field
}

export interface AddedTwice<Field> {
  readonly "the operator adds fields of these names: rename the record's before": Field
}

export interface KeysDiffer<Left, Right> {
  readonly "key both sides by the same fields of the same types": readonly [Left, Right]
}

export interface BothHave<Field> {
  readonly "both sides have these fields: give a function that makes a result of two records": Field
}

type IsAny<T> = 0 extends 1 & T ? true : false

/** Fields of the target `T` that `A` lacks or has with another type. */
export type Misfit<A, T> = {
  [F in keyof T]-?: F extends keyof A
    ? Pick<A, F> extends Pick<T, F>
      ? never
      : F
    : Record<never, never> extends Pick<T, F>
      ? never
      : F
}[keyof T]

/** `unknown` when records of `A` with failures `E` may go to a topic of `T`. */
export type FitsTopic<A, E, T> =
  IsAny<E> extends true
    ? UnhandledFailure<"any">
    : [E] extends [never]
      ? [Misfit<A, T>] extends [never]
        ? unknown
        : RecordDoesNotFit<Misfit<A, T>>
      : UnhandledFailure<TagsOf<E>>

/** `unknown` when a flow has no failures left. */
export type Handled<E> = [E] extends [never] ? unknown : UnhandledFailure<TagsOf<E>>

/** `unknown` when an answer has no field that the record has. */
export type Repeats<A, Answer> = [keyof A & keyof Answer] extends [never]
  ? unknown
  : AnswerRepeats<keyof A & keyof Answer>

/** `unknown` when a join takes no field that the record has. */
export type TakesAgain<A, F> = [keyof A & F] extends [never] ? unknown : TakenTwice<keyof A & F>

/** `unknown` when two flows hold the same records. */
export type SameRecords<A, B> = [A] extends [B]
  ? [B] extends [A]
    ? unknown
    : RecordsDiffer<Exclude<keyof A, keyof B>>
  : RecordsDiffer<Exclude<keyof B, keyof A>>

/** `unknown` when the record has none of the fields that an operator adds. */
export type Repeated<A, F> = [keyof A & F] extends [never] ? unknown : AddedTwice<keyof A & F>

/** `unknown` when the flow is keyed. */
export type Keyed<K> = unknown extends K ? NotKeyed : unknown

/** `unknown` when both sides of a join are keyed alike. */
export type SameKey<K, K2> = unknown extends K
  ? NotKeyed
  : unknown extends K2
    ? NotKeyed
    : [K, K2] extends [K2, K]
      ? unknown
      : KeysDiffer<keyof K, keyof K2>

/** `unknown` when two records share no field but their key's. */
export type Apart<A, B, K> = [Exclude<keyof A & keyof B, keyof K>] extends [never]
  ? unknown
  : BothHave<Exclude<keyof A & keyof B, keyof K>>

type TagsOf<E> = E extends { readonly _tag: infer Tag extends string } ? Tag : never
