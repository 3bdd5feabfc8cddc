/** The jobs that `bun run sim` knows by name, each with its input and its tables. */
import type { Random } from "../generate/Random.ts"
import { runOnDisk } from "../world/SimStateFolder.ts"
import { input, run, type SimOptions, type SimReport } from "../world/Sim.ts"
import { RawTransactions } from "@frazil/model"
import { abroadOfTransactions } from "./Abroad.ts"
import { accountLandings, accounts, payment, Payments } from "./Accounts.ts"
import { attempt, Attempts, sequences, sequencesOnDisk } from "./Attempts.ts"
import { bidsOfAuctions, bidsOnDisk } from "./Bids.ts"
import { checkAttempts } from "./CheckAttempts.ts"
import { checkExchange } from "./CheckExchange.ts"
import { checkMarket } from "./CheckMarket.ts"
import { claimsOfPayments } from "./Claims.ts"
import { byTheClock } from "./Clock.ts"
import { exchange, orderLine, Orders as ShopOrders, shipmentLine, Shipments, visitLine, Visits } from "./Exchange.ts"
import { enrichment, router } from "./Lending.ts"
import { customers, lookupLandings, lookups, order, Orders } from "./Lookups.ts"
import { market, marketOnDisk, offer, Offers } from "./Market.ts"
import { clicksByPage } from "./Repartition.ts"
import { cardsOnDisk } from "./Stored.ts"
import { securityOfLogins } from "./Security.ts"
import { tablesOnDisk } from "./Tables.ts"
import { checkTransactions, transactionLandings, transactionLines, transactions } from "./Transactions.ts"
import { clickWindows, windowsOnDisk } from "./Windows.ts"

export type SimulatedJob = (options: Omit<SimOptions, "input" | "landings">) => SimReport

const recordsMin = 40
const recordsSpread = 200

const payments = (random: Random): ReadonlyArray<string> =>
  Array.from({ length: recordsMin + random.below(recordsSpread) }, payment(random))

/** Every call of a lookup is a process of events: fewer records than of the other jobs take as long. */
const ordersMin = 15
const ordersSpread = 30
const orders = (random: Random): ReadonlyArray<string> =>
  Array.from({ length: ordersMin + random.below(ordersSpread) }, order(random))

const attempts = (random: Random): ReadonlyArray<string> =>
  Array.from({ length: recordsMin + random.below(recordsSpread) }, attempt(random))

/** Of a cache in which one or none stays. */
const addressesOnDisk = 6
const attemptsOfMany = (random: Random): ReadonlyArray<string> =>
  Array.from({ length: recordsMin + random.below(recordsSpread) }, attempt(random, addressesOnDisk))

const offers = (random: Random): ReadonlyArray<string> =>
  Array.from({ length: recordsMin + random.below(recordsSpread) }, offer(random))

/** Of several topics each: fewer of one. */
const some =
  (line: (random: Random) => () => string) =>
  (random: Random): ReadonlyArray<string> =>
    Array.from({ length: 20 + random.below(50) }, line(random))

export const simulatedJobs: Readonly<Record<string, SimulatedJob>> = {
  transactions: (options) =>
    run(transactions, {
      ...options,
      input: [input(RawTransactions, transactionLines)],
      landings: transactionLandings,
      check: checkTransactions
    }),
  accounts: (options) =>
    run(accounts, {
      ...options,
      input: [input(Payments, payments)],
      landings: accountLandings
    }),
  sequences: (options) => run(sequences, { ...options, input: [input(Attempts, attempts)], check: checkAttempts }),
  "sequences-on-disk": (options) =>
    runOnDisk(options.seed, (services) =>
      run(sequencesOnDisk, { ...options, input: [input(Attempts, attemptsOfMany)], services, check: checkAttempts })
    ),
  exchange: (options) =>
    run(exchange, {
      ...options,
      input: [input(ShopOrders, some(orderLine)), input(Shipments, some(shipmentLine)), input(Visits, some(visitLine))],
      check: checkExchange
    }),
  market: (options) => run(market, { ...options, input: [input(Offers, offers)], check: checkMarket }),
  "market-on-disk": (options) =>
    runOnDisk(options.seed, (services) =>
      run(marketOnDisk, { ...options, input: [input(Offers, some(offer))], services, check: checkMarket })
    ),
  lookups: (options) =>
    run(lookups, {
      ...options,
      input: [input(Orders, orders)],
      landings: lookupLandings,
      services: customers
    }),
  "lending-router": router,
  "lending-enrichment": enrichment,
  claims: claimsOfPayments,
  security: securityOfLogins,
  abroad: abroadOfTransactions,
  windows: clickWindows,
  "windows-on-disk": windowsOnDisk,
  repartition: clicksByPage,
  bids: bidsOfAuctions,
  "bids-on-disk": bidsOnDisk,
  stored: cardsOnDisk,
  "tables-on-disk": tablesOnDisk,
  "by-the-clock": byTheClock
}
