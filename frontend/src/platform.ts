/**
 * What the components need of a host, under the names that Lime's platform has for it.
 *
 * A host gives every root component a `platform` and a `context`. Only `http` has to be there; the
 * rest makes things nicer. `host/host.js` is the least of all hosts.
 */

export interface Platform {
  /** The service of that name; hosts throw for one that they do not have. */
  get(name: string): unknown;
  has(name: string): boolean;
}

/** What the component stands in: an object of a limetype, within another one or not. */
export interface Context {
  limetype?: string;
  id?: number;
  parent?: Context;
}

export interface HttpOptions {
  params?: Record<string, string>;
  headers?: Record<string, string>;
  responseType?: string;
  /** Told the share (0 to 1) of a form that has been sent, by hosts that know it. */
  onUploadProgress?: (share: number) => void;
}

/** Paths are relative to the application: `limepkg-email/account/`. */
export interface Http {
  get(url: string, options?: HttpOptions): Promise<unknown>;
  post(url: string, data?: unknown, options?: HttpOptions): Promise<unknown>;
  put(url: string, data?: unknown, options?: HttpOptions): Promise<unknown>;
  delete(url: string, data?: unknown, options?: HttpOptions): Promise<unknown>;
}

export interface Notifications {
  notify(message: string): unknown;
  alert(title: string, message: string, okLabel?: string): unknown;
  confirm(title: string, message: string, okLabel?: string, cancelLabel?: string): Promise<boolean>;
}

export interface Translate {
  get(key: string, params?: Record<string, unknown>): string;
}

export interface EventDispatcher {
  dispatch(name: string, data: unknown): unknown;
  addListener(name: string, listener: (event: CustomEvent) => void): unknown;
  removeListener(name: string, listener: (event: CustomEvent) => void): unknown;
}

/** The services by name, the same in all versions of the platform. */
interface Services {
  http: Http;
  notifications: Notifications;
  translate: Translate;
  eventDispatcher: EventDispatcher;
  'state.application': { getSession?: () => { language?: string; timeZone?: string } | undefined };
}

/** Give a service, or nothing when the host has none of that name. */
export function service<Name extends keyof Services>(
  platform: Platform | undefined,
  name: Name,
): Services[Name] | undefined {
  if (!platform?.has(name)) {
    return undefined;
  }
  return platform.get(name) as Services[Name];
}

/**
 * Make something once for each platform: what components share lives and ends with the platform
 * they stand on, so that two hosts on a page have nothing to do with each other.
 */
export function perPlatform<Thing>(
  make: (platform: Platform) => Thing,
): (platform: Platform) => Thing {
  const made = new WeakMap<Platform, Thing>();
  return (platform) => {
    let thing = made.get(platform);
    if (thing === undefined) {
      thing = make(platform);
      made.set(platform, thing);
    }
    return thing;
  };
}
