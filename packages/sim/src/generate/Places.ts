/**
 * Where generated accounts live and shop: cities with country, currency and position.
 *
 * Read by Accounts, Fraud and Transactions. `utcOffsetHours` is standard time: good enough to say that it is night.
 */

export interface Place {
  readonly country: string
  readonly currency: string
  readonly city: string
  readonly lat: number
  readonly lon: number
  readonly utcOffsetHours: number
  /** Share of the accounts that live here, relative to the other places. */
  readonly weight: number
}

type Row = readonly [Place["country"], Place["currency"], Place["city"], number, number, number, number]

const rows: ReadonlyArray<Row> = [
  ["US", "USD", "New York", 40.7128, -74.006, -5, 400],
  ["US", "USD", "Chicago", 41.8781, -87.6298, -6, 200],
  ["US", "USD", "Los Angeles", 34.0522, -118.2437, -8, 200],
  ["GB", "GBP", "London", 51.5074, -0.1278, 0, 40],
  ["DE", "EUR", "Berlin", 52.52, 13.405, 1, 20],
  ["DE", "EUR", "Munich", 48.1351, 11.582, 1, 10],
  ["FR", "EUR", "Paris", 48.8566, 2.3522, 1, 25],
  ["CA", "CAD", "Toronto", 43.6532, -79.3832, -5, 25],
  ["JP", "JPY", "Tokyo", 35.6762, 139.6503, 9, 20],
  ["MX", "MXN", "Mexico City", 19.4326, -99.1332, -6, 15],
  ["BR", "BRL", "Sao Paulo", -23.5505, -46.6333, -3, 15],
  ["IN", "INR", "Mumbai", 19.076, 72.8777, 5.5, 15],
  ["NG", "NGN", "Lagos", 6.5244, 3.3792, 1, 10],
  ["AU", "AUD", "Sydney", -33.8688, 151.2093, 10, 5]
]

/** All places; a place is known elsewhere by its index here. */
export const places: ReadonlyArray<Place> = rows.map(
  ([country, currency, city, lat, lon, utcOffsetHours, weight]): Place => ({
    country,
    currency,
    city,
    lat,
    lon,
    utcOffsetHours,
    weight
  })
)

const hourMs = 3_600_000

/** The hour of day at a place, in [0, 24), with fraction. */
export const localHour = (place: Place, timeMs: number): number =>
  (((timeMs / hourMs + place.utcOffsetHours) % 24) + 24) % 24
