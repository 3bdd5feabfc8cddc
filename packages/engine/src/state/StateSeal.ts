/**
 * Encryption of state at rest: AES-256-GCM over parts of snapshots and deltas, when a key is set.
 *
 * `Shard.ts` seals deltas and `TakeSnapshots.ts` parts; `Restore.ts` opens both. **Guarantees**: each piece of bytes has a nonce
 * of its own; it is bound to its place (shard, and epoch or file), so that one cannot be put in place of another; older keys
 * still open what they sealed. What was written before a key was set is read as it is. Lists of parts, positions and counts
 * are not encrypted: they hold no values of state.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto"
import { Context, Redacted } from "effect"
import type { ShardId } from "../log/Log.ts"
import { JobError } from "../run/JobError.ts"

export interface StateSeal {
  /** Bytes for the disk; `place` says where they lie. */
  readonly seal: (bytes: Uint8Array, place: string) => Uint8Array
  /** What was sealed for the place, or never was. Throws a `JobError` when the key is not there or does not fit. */
  readonly open: (bytes: Uint8Array, place: string) => Uint8Array
}

export interface StateKeys {
  /** 32 bytes: seals, and opens what it sealed. */
  readonly key: Redacted.Redacted<Uint8Array>
  /** Open what they sealed. */
  readonly older: ReadonlyArray<Redacted.Redacted<Uint8Array>>
}

export const stateKeyBytes = 32
const nonceBytes = 12
const tagBytes = 16
const idBytes = 8
/** Then a version, the key's id, the nonce, what is encrypted, and the tag. No document or part begins so. */
const magic = new TextEncoder().encode("FRZS")
const version = 1
const headerBytes = magic.length + 1 + idBytes + nonceBytes

/** Tells keys apart, and nothing of them. */
export const stateKeyId = (key: Redacted.Redacted<Uint8Array>): string =>
  createHash("sha256")
    .update("frazil state key")
    .update(Redacted.value(key))
    .digest("hex")
    .slice(0, 2 * idBytes)

const isSealed = (bytes: Uint8Array): boolean => magic.every((byte, at) => bytes[at] === byte)

const setIt =
  "Set the key that wrote it under state.encryption in frazil.yaml: as key, or among older when another one seals now"

const opened = (bytes: Uint8Array, place: string, keys: ReadonlyMap<string, Uint8Array>): Uint8Array => {
  if (!isSealed(bytes)) return bytes
  const id = Buffer.from(bytes.subarray(magic.length + 1, magic.length + 1 + idBytes)).toString("hex")
  const cut = () => new JobError({ reason: "Corrupt", message: `the encrypted state at ${place} is cut or changed` })
  if (bytes.length < headerBytes + tagBytes || bytes[magic.length] !== version) throw cut()
  const key = keys.get(id)
  if (key === undefined)
    throw new JobError({
      reason: "KeyMissing",
      message: `the state at ${place} is encrypted with the key ${id}, which is not set. ${setIt}.`
    })
  const end = bytes.length - tagBytes
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(headerBytes - nonceBytes, headerBytes))
  decipher.setAAD(Buffer.from(place))
  decipher.setAuthTag(bytes.subarray(end))
  try {
    const plain = decipher.update(bytes.subarray(headerBytes, end))
    decipher.final()
    return plain
  } catch {
    // the cipher's own words say nothing more
    throw cut()
  }
}

/** `nonces` gives bytes that never come again for a key: random ones. */
export const makeStateSeal = (
  { key, older }: StateKeys,
  nonces: (count: number) => Uint8Array = randomBytes
): StateSeal => {
  const keys = new Map([key, ...older].map((each) => [stateKeyId(each), Redacted.value(each)]))
  const secret = Redacted.value(key)
  const head = Buffer.concat([magic, Uint8Array.of(version), Buffer.from(stateKeyId(key), "hex")])
  return {
    seal: (bytes, place) => {
      const nonce = nonces(nonceBytes)
      const cipher = createCipheriv("aes-256-gcm", secret, nonce)
      cipher.setAAD(Buffer.from(place))
      const sealed = cipher.update(bytes)
      cipher.final()
      return Buffer.concat([head, nonce, sealed, cipher.getAuthTag()])
    },
    open: (bytes, place) => opened(bytes, place, keys)
  }
}

const none: ReadonlyMap<string, Uint8Array> = new Map()

/** State is plain. What is encrypted is not read. */
export const plainState: StateSeal = { seal: (bytes) => bytes, open: (bytes, place) => opened(bytes, place, none) }

/** What seals and opens the state of the jobs that run; plain unless a key is set. */
export const StateSealing = Context.Reference<StateSeal>("@frazil/engine/StateSealing", {
  defaultValue: () => plainState
})

/** Where a delta lies. */
export const deltaPlace = ({ shard, stage, uid }: ShardId, epoch: number): string =>
  `${uid}/${stage}/${shard}/epoch ${epoch}`
