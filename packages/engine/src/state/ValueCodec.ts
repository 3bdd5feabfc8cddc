/** Values of a state as JSON and back, by the schema that its operator declares. */
import { Result, Schema } from "effect"
import { StateShapeError } from "./OperatorState.ts"

export interface ValueCodec {
  readonly encode: (value: unknown) => unknown
  readonly decode: (encoded: unknown) => unknown
  /** As `decode`, of JSON that `encode` gave here: where values are such JSON themselves, nothing is looked at again. */
  readonly reread: (encoded: unknown) => unknown
}

export const makeValueCodec = (name: string, schema: Schema.Codec<unknown, unknown>): ValueCodec => {
  // whatever the schema's values are, JSON holds them: bigints, dates, infinities
  const codec = Schema.toCodecJson(schema)
  const encodeResult = Schema.encodeResult(codec)
  const decodeResult = Schema.decodeUnknownResult(codec)
  const decode = (value: unknown): unknown => {
    const decoded = decodeResult(value)
    if (Result.isSuccess(decoded)) return decoded.success
    throw new StateShapeError(
      `the state of ${name} does not fit its schema any more; give the operator another name to start it empty, or the job another name`
    )
  }
  // a schema without a transformation is its own encoded side
  const plain = codec.ast === Schema.toEncoded(codec).ast
  return {
    encode: (value) => {
      const encoded = encodeResult(value)
      if (Result.isSuccess(encoded)) return encoded.success
      // a bug of the job's author; the schema's own message would quote the state
      throw new TypeError(`state ${name}: a value that its update returned does not fit the state's schema`)
    },
    decode,
    reread: plain ? (encoded) => encoded : decode
  }
}
