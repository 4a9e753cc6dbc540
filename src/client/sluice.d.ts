/** Where the gateway is: a path, or an address with http, https, ws or wss. */
export type Address = string | URL;

/** An address with a ticket for this one connection; `ticket: null` when nobody is logged in. */
export interface Target {
  url: Address;
  ticket?: string | null;
}

export interface Options {
  /** Called before each connect, for a ticket (see README.md). null: nobody is logged in. */
  ticket?: () => string | null | undefined | Promise<string | null | undefined>;
  /** One connection for all tabs with the same address and the same value here. */
  share?: boolean | string;
}

/** The code of the WebSocket's close, and what was said with it. */
interface Closing {
  readonly code: number;
  readonly reason: string;
}

export interface Connecting {
  readonly name: 'connecting';
}

export interface Open {
  readonly name: 'open';
  /** null: anonymous. */
  readonly user: string | null;
  /** The gateway's name for the connection, as in its log. */
  readonly connection: string;
}

/** It will be tried again, by itself, at `until` (compare with Date.now()). */
export interface Waiting extends Closing {
  readonly name: 'waiting';
  readonly until: number;
}

/**
 * It will not be tried again, until open() is called.
 *
 *     1000                      close() was called
 *     4401                      the session ended, or there is none: log in first
 *     4403                      the gateway does not allow it
 *     1002, 1003, 1007, 1009    the gateway did not understand us
 */
export interface Closed extends Closing {
  readonly name: 'closed';
  readonly code: 1000 | 1002 | 1003 | 1007 | 1009 | 4401 | 4403;
}

export type State = Connecting | Open | Waiting | Closed;

export interface Publication<T = unknown> {
  readonly channel: string;
  /** The payload, parsed, where it is JSON; else its text; its bytes where it is not even text. */
  readonly data: T;
}

/** Something may have been missed on these channels, which are live now. */
export interface Gap {
  readonly channels: string[];
}

export interface Refusal {
  /** Without one when it was no subscription that was refused. */
  readonly channel?: string;
  readonly code: 'bad_request' | 'forbidden' | 'limit' | 'unavailable';
  readonly message: string;
}

export interface Subscribed {
  readonly channel: string;
}

export interface Unsubscribed {
  readonly channel: string;
  /** Only where it was not wished. */
  readonly reason?: 'revoked';
}

export interface Events {
  state: State;
  gap: Gap;
  error: Refusal;
  subscribed: Subscribed;
  unsubscribed: Unsubscribed;
  publication: Publication;
}

export class Sluice {
  /** Connects; `address` is "/ws" when left out. A function is called before each connect. */
  constructor(
    address?: Address | (() => Address | Target | Promise<Address | Target>),
    options?: Options,
  );

  readonly state: State;

  /** Calls `handler` for each publication of a channel, until the function it gives is called. */
  subscribe<T = unknown>(
    channel: string,
    handler: (data: T, meta: { readonly channel: string }) => void,
  ): () => void;

  /** Calls `listener` for each event, until the function it gives is called. */
  on<Type extends keyof Events>(type: Type, listener: (event: Events[Type]) => void): () => void;

  /** Connects again when closed, now when waiting. */
  open(): void;

  /** Closes for good; resolves when the connection is closed. */
  close(): Promise<void>;
}
