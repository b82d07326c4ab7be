/** An EventSource whose server is the test. */
export class FakeEventSource extends EventTarget {
  static opened: FakeEventSource[] = [];
  closed = false;

  constructor(readonly url: string) {
    super();
    FakeEventSource.opened.push(this);
  }

  send(name: string, data: unknown): void {
    this.sendText(name, JSON.stringify(data));
  }

  sendText(name: string, data: string): void {
    if (!this.closed) this.dispatchEvent(new MessageEvent(name, { data }));
  }

  breakDown(): void {
    this.dispatchEvent(new Event("error"));
  }

  close(): void {
    this.closed = true;
  }
}
