/**
 * Fraud patterns: short scenarios of several transactions on one account, each labelled with its pattern's name.
 *
 * Transactions starts them and mixes their steps into ordinary traffic; recall of a rule is measured against the
 * labels. **Bounds**: a scenario has at most `stepsMax` steps and, unscaled, lasts less than 5 minutes from first to
 * last.
 */
import { type Account, deviceId, ipAddress } from "./Accounts.ts"
import { categoryIndex, channels, transactionTypes } from "./Merchants.ts"
import { localHour, places } from "./Places.ts"
import type { Random } from "./Random.ts"

/**
 * What each pattern looks like (amounts in the account's currency):
 * - `card_testing`: 8–12 online purchases below 2.00 a few seconds apart from a new device, then one of 500–1,500
 * - `amount_spike`: 2–3 purchases of 10,500–30,000 within two minutes
 * - `velocity`: 8–14 purchases of 20–400 within less than 5 minutes
 * - `impossible_travel`: one purchase of 10,500–25,000 at home, then 1–3 in one other country within 5 minutes
 * - `night_withdrawal`: 2–3 withdrawals of 900–2,000 at home between 1 and 5 o'clock, local standard time
 */
export const fraudLabels = [
  "card_testing",
  "amount_spike",
  "velocity",
  "impossible_travel",
  "night_withdrawal"
] as const

export type FraudLabel = (typeof fraudLabels)[number]

/** One transaction of a scenario. Type, category, channel and place are indexes into their lists. */
export interface FraudStep {
  /** Arrives at or after this time, which is its event time within the same few milliseconds. Epoch milliseconds. */
  readonly dueMs: number
  readonly account: number
  readonly label: FraudLabel
  readonly type: number
  readonly category: number
  readonly channel: number
  readonly place: number
  readonly cents: number
  readonly deviceId: string
  readonly ip: string
}

export const stepsMax = 14

const purchase = transactionTypes.indexOf("purchase")
const withdrawal = transactionTypes.indexOf("withdrawal")
const pos = channels.indexOf("pos")
const online = channels.indexOf("online")
const cashMachine = channels.indexOf("atm")
const atm = categoryIndex("atm")
const shops = ["grocery", "restaurant", "fuel", "online_retail"].map(categoryIndex)
const luxuries = ["jewelry", "electronics", "crypto"].map(categoryIndex)

const nightFromHour = 1
const nightToHour = 5

/** Whether it is night at the account's home: the only time for `night_withdrawal`. */
export const atNight = (account: Account, timeMs: number): boolean => {
  const hour = localHour(places[account.home]!, timeMs)
  return hour >= nightFromHour && hour < nightToHour
}

interface Plan {
  readonly random: Random
  readonly holder: Account
  readonly add: (step: Partial<FraudStep> & { readonly cents: number }) => void
  /** Lets between `low` and `high` milliseconds pass before the next step. */
  readonly wait: (low: number, high: number) => void
}

const between = (random: Random, low: number, high: number): number => low + random.below(high - low + 1)
const oneOf = (random: Random, list: ReadonlyArray<number>): number => list[random.below(list.length)]!

const cardTesting = ({ add, random, wait }: Plan): void => {
  const thief = { channel: online, deviceId: deviceId(random.bits), ip: ipAddress(random.bits) }
  for (let tries = between(random, 8, 12); tries > 0; tries--) {
    add({ ...thief, category: categoryIndex("online_retail"), cents: between(random, 10, 199) })
    wait(2_000, 8_000)
  }
  add({ ...thief, category: categoryIndex("electronics"), cents: between(random, 50_000, 150_000) })
}

const amountSpike = ({ add, random, wait }: Plan): void => {
  for (let left = between(random, 2, 3); left > 0; left--) {
    add({ category: oneOf(random, luxuries), cents: between(random, 1_050_000, 3_000_000) })
    wait(10_000, 60_000)
  }
}

const velocity = ({ add, random, wait }: Plan): void => {
  for (let left = between(random, 8, stepsMax); left > 0; left--) {
    add({ category: oneOf(random, shops), cents: between(random, 2_000, 40_000) })
    wait(5_000, 20_000)
  }
}

const impossibleTravel = ({ add, holder, random, wait }: Plan): void => {
  add({ category: oneOf(random, luxuries), cents: between(random, 1_050_000, 2_500_000) })
  const home = places[holder.home]!.country
  let place = random.below(places.length)
  while (places[place]!.country === home) place = (place + 1) % places.length
  const abroad = { place, deviceId: deviceId(random.bits), ip: ipAddress(random.bits) }
  for (let left = between(random, 1, 3); left > 0; left--) {
    wait(20_000, 90_000)
    add({ ...abroad, category: oneOf(random, shops), cents: between(random, 5_000, 90_000) })
  }
}

const nightWithdrawal = ({ add, random, wait }: Plan): void => {
  for (let left = between(random, 2, 3); left > 0; left--) {
    add({ type: withdrawal, category: atm, channel: cashMachine, cents: between(random, 90_000, 200_000) })
    wait(30_000, 90_000)
  }
}

const plans: Record<FraudLabel, (plan: Plan) => void> = {
  card_testing: cardTesting,
  amount_spike: amountSpike,
  velocity,
  impossible_travel: impossibleTravel,
  night_withdrawal: nightWithdrawal
}

/**
 * Plans a scenario that begins at `startMs`. `timeScale` in (0, 1] shortens its pauses: generators that run fast use it
 * to keep the number of scenarios under way bounded.
 */
export const planFraud = (
  label: FraudLabel,
  holders: ReadonlyArray<Account>,
  account: number,
  startMs: number,
  timeScale: number,
  random: Random
): ReadonlyArray<FraudStep> => {
  const holder = holders[account]!
  const steps: Array<FraudStep> = []
  let offsetMs = 0
  plans[label]({
    random,
    holder,
    add: (step) =>
      steps.push({
        dueMs: startMs + Math.floor(offsetMs * timeScale),
        account,
        label,
        type: purchase,
        category: 0,
        channel: pos,
        place: holder.home,
        deviceId: holder.deviceIds[0]!,
        ip: holder.ips[0]!,
        ...step
      }),
    wait: (low, high) => {
      offsetMs += between(random, low, high)
    }
  })
  return steps
}
