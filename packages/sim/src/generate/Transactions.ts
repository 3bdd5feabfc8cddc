/**
 * Card transactions from a seed: records of `raw-transactions` as JSON bytes in the contract's field order.
 *
 * RunGenerator paces it and sends what it makes; tests and benches call it directly. Pure: time is an
 * argument, chance comes from the seed. **Guarantees**: the same seed and the same arrival times give the same bytes on
 * every runtime. Shares are R2.3's: 85 % purchases, 5 % refunds, 8 % withdrawals, 2 % transfers among ordinary
 * transactions; fraud beside them.
 */
import { partitionOf } from "@frazil/core"
import { type Account, accountWeights, makeAccounts } from "./Accounts.ts"
import type { FraudLabel, FraudStep } from "./Fraud.ts"
import { makeFraudSchedule } from "./FraudSchedule.ts"
import { type AmountTable, drawCents, makeAmountTables } from "./LogNormal.ts"
import { categoryIndex, channels, merchantCategories, transactionTypes, transactionTypeWeights } from "./Merchants.ts"
import { places } from "./Places.ts"
import { drawSlot, makeRandom, type Random, weightedSlots } from "./Random.ts"
import type { GeneratedRecord, RecordSource } from "./RecordSource.ts"
import { makeRecordBytes } from "./RecordBytes.ts"
import { invalidKinds, makeTransactionWriter, segmentOf, type TransactionDraft } from "./TransactionRecord.ts"

export interface TransactionOptions {
  /** An integer. */
  readonly seed: number
  /** Part of the records that belong to fraud scenarios, 0–0.05; R2.3 asks for 0.01–0.05. */
  readonly fraudShare?: number | undefined
  /** Part of the ordinary records that break the contract, 0–1; for tests of dead letters. */
  readonly invalidShare?: number | undefined
}

/** Its key is the account_id. */
export interface GeneratedTransaction extends GeneratedRecord {
  /** Index in `accounts`; −1 when the record has no key. */
  readonly account: number
  readonly label: FraudLabel | undefined
}

export interface TransactionGenerator extends RecordSource<GeneratedTransaction> {
  readonly accounts: ReadonlyArray<Account>
}

export const fraudShareDefault = 0.03
export const fraudShareMax = 0.05

/** One ordinary record in a hundred is paid in dollars wherever it is made. */
const dollarOneIn = 100
/** Six ordinary records in a thousand are made in another city than home, mostly abroad. */
const elsewherePerThousand = 6
/** One ordinary record in five has an event time up to this much before its arrival. */
const earlyOneIn = 5
const earlyMsMax = 5_000

const type = (name: (typeof transactionTypes)[number]): number => transactionTypes.indexOf(name)
const channel = (name: (typeof channels)[number]): number => channels.indexOf(name)

interface AccountBytes {
  readonly id: Uint8Array
  readonly devices: ReadonlyArray<Uint8Array>
  readonly ips: ReadonlyArray<Uint8Array>
}

interface World {
  readonly random: Random
  readonly accounts: ReadonlyArray<Account>
  readonly accountBytes: ReadonlyArray<AccountBytes>
  readonly amounts: ReadonlyArray<AmountTable>
  readonly invalidShare: number
}

/** Draws ordinary traffic into a draft; returns the account's index. */
const makeOrdinary = (world: World): ((draft: TransactionDraft, arrivalMs: number) => number) => {
  const { accountBytes, accounts, amounts, invalidShare, random } = world
  const accountSlots = weightedSlots(accountWeights())
  const typeSlots = weightedSlots(transactionTypeWeights)
  const categorySlots = weightedSlots(merchantCategories.map((category) => category.weight))
  const shopChannels = [
    channel("pos"),
    channel("pos"),
    channel("pos"),
    channel("online"),
    channel("online"),
    channel("mobile")
  ]
  const atm = categoryIndex("atm")
  const wire = categoryIndex("wire_transfer")

  const drawWay = (draft: TransactionDraft) => {
    draft.type = drawSlot(typeSlots, random)
    if (draft.type === type("withdrawal")) {
      draft.category = atm
      draft.channel = channel("atm")
    } else if (draft.type === type("transfer")) {
      draft.category = wire
      draft.channel = random.below(2) === 0 ? channel("online") : channel("mobile")
    } else {
      draft.category = drawSlot(categorySlots, random)
      draft.channel = shopChannels[random.below(shopChannels.length)]!
    }
  }
  return (draft, arrivalMs) => {
    const index = drawSlot(accountSlots, random)
    const account = accounts[index]!
    const bytes = accountBytes[index]!
    draft.accountId = bytes.id
    drawWay(draft)
    draft.cents = drawCents(amounts[draft.category]!, random)
    draft.place =
      random.below(1_000) < elsewherePerThousand
        ? (account.home + 1 + random.below(places.length - 1)) % places.length
        : account.home
    draft.dollar = random.below(dollarOneIn) === 0
    draft.device = bytes.devices[random.below(bytes.devices.length)]!
    draft.ip = bytes.ips[random.below(bytes.ips.length)]!
    draft.eventMs = random.below(earlyOneIn) === 0 ? arrivalMs - random.below(earlyMsMax + 1) : arrivalMs
    draft.label = undefined
    draft.invalid =
      invalidShare > 0 && random.bits() < invalidShare * 4_294_967_296
        ? invalidKinds[random.below(invalidKinds.length)]!
        : undefined
    return index
  }
}

const fromStep = (draft: TransactionDraft, step: FraudStep, accountId: Uint8Array, arrivalMs: number): number => {
  draft.accountId = accountId
  draft.cents = step.cents
  draft.dollar = false
  draft.type = step.type
  draft.category = step.category
  draft.channel = step.channel
  draft.place = step.place
  draft.device = segmentOf(step.deviceId)
  draft.ip = segmentOf(step.ip)
  // no jitter: the order of the steps is the pattern
  draft.eventMs = arrivalMs
  draft.label = step.label
  draft.invalid = undefined
  return step.account
}

/** Makes a generator. It holds about 1 MB of tables. */
export const makeTransactions = (options: TransactionOptions): TransactionGenerator => {
  const random = makeRandom(options.seed)
  const accounts = makeAccounts()
  const amountTable = makeAmountTables()
  const world: World = {
    random,
    accounts,
    accountBytes: accounts.map((account) => ({
      id: segmentOf(account.id),
      devices: account.deviceIds.map(segmentOf),
      ips: account.ips.map(segmentOf)
    })),
    amounts: merchantCategories.map((category) => amountTable(category.median, category.sigma)),
    invalidShare: options.invalidShare ?? 0
  }
  const fraud = makeFraudSchedule(accounts, options.fraudShare ?? fraudShareDefault, makeRandom(-1 - options.seed))
  const out = makeRecordBytes()
  const drawOrdinary = makeOrdinary(world)
  const write = makeTransactionWriter(out, random)
  const draft: TransactionDraft = {
    accountId: new Uint8Array(),
    cents: 0,
    dollar: false,
    type: 0,
    category: 0,
    channel: 0,
    place: 0,
    device: new Uint8Array(),
    ip: new Uint8Array(),
    eventMs: 0,
    label: undefined,
    invalid: undefined
  }
  const made = { bytes: out.bytes, length: 0, keyStart: 0, keyEnd: 0, account: 0, label: draft.label }
  return {
    accounts,
    partitioner: (partitions) => {
      const partitionsOf = accounts.map((account) => partitionOf(account.id, partitions))
      return ({ account }) => (account < 0 ? 0 : partitionsOf[account]!)
    },
    next: (arrivalMs) => {
      const step = fraud.next(arrivalMs)
      const account =
        step === undefined
          ? drawOrdinary(draft, arrivalMs)
          : fromStep(draft, step, world.accountBytes[step.account]!.id, arrivalMs)
      made.keyStart = write(draft, arrivalMs)
      made.length = out.length()
      made.keyEnd = made.keyStart < 0 ? -1 : made.keyStart + draft.accountId.length
      made.account = made.keyStart < 0 ? -1 : account
      made.label = draft.label
      return made
    }
  }
}
