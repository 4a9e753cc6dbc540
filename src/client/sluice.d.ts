/** Where the gateway is: a path, or a URL with http, https, ws or wss. */
export type Address = string | URL;

/** An address and a ticket for one connection. `ticket: null` means that nobody is logged in. */
export interface Target {
  url: Address;
  ticket?: string | null;
}

export interface Options {
  /** Gets a ticket, before each connect (see README.md). null: nobody is logged in. */
  ticket?: () => string | null | undefined | Promise<string | null | undefined>;
  /** One connection for all tabs with the same address and the same value here. */
  share?: boolean | string;
}

/** The WebSocket's close code and reason. */
interface Closing {
  readonly code: number;
  readonly reason: string;
}

export interface Connecting {
  readonly name: 'connecting';
}

export interface Open {
  readonly name: 'open';
  /** null if anonymous. */
  readonly user: string | null;
  /** The gateway's name for this connection. */
  readonly connection: string;
}

/**
 * The client reconnects by itself at `until` (compare it with Date.now()); with 4401 and 4403 only
 * if the gateway does not refuse it again.
 */
export interface Waiting extends Closing {
  readonly name: 'waiting';
  readonly until: number;
}

/**
 * The client does not reconnect until open() is called.
 *
 *     1000                      close() was called
 *     4401                      the session ended, or there is none: log in first
 *     4403                      the gateway does not allow the connection
 *     1002, 1003, 1007, 1009    the gateway refused what the client sent: a bug
 */
export interface Closed extends Closing {
  readonly name: 'closed';
  readonly code: 1000 | 1002 | 1003 | 1007 | 1009 | 4401 | 4403;
}

export type State = Connecting | Open | Waiting | Closed;

export interface Meta {
  readonly channel: string;
  /**
   * The payload as text, for numbers that JavaScript would round. If `data` is a string, the same;
   * undefined if the payload is not UTF-8.
   */
  readonly text?: string | undefined;
}

export interface Publication<T = unknown> extends Meta {
  /** The payload: parsed if it is JSON, else a string; a Uint8Array if it is not UTF-8. */
  readonly data: T;
}

/** Publications may be missing on these channels, which are live now. */
export interface Gap {
  readonly channels: string[];
}

export interface Refusal {
  /** Absent if what failed was not a subscription. */
  readonly channel?: string;
  readonly code: 'bad_request' | 'forbidden' | 'limit' | 'unavailable';
  readonly message: string;
}

export interface Subscribed {
  readonly channel: string;
}

export interface Unsubscribed {
  readonly channel: string;
  /** Present if the session no longer allows the channel. */
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
  /** Connects. `address` is "/ws" by default; a function is called before each connect. */
  constructor(
    address?: Address | (() => Address | Target | Promise<Address | Target>),
    options?: Options,
  );

  readonly state: State;

  /** Calls `handler` for each publication on a channel, until the returned function is called. */
  subscribe<T = unknown>(
    channel: string,
    handler: (data: T, meta: Meta) => void,
  ): () => void;

  /** Calls `listener` for each event, until the returned function is called. */
  on<Type extends keyof Events>(type: Type, listener: (event: Events[Type]) => void): () => void;

  /** Connects again if closed; connects now if waiting. */
  open(): void;

  /** Closes until open() is called; resolves when the connection is closed. */
  close(): Promise<void>;
}
