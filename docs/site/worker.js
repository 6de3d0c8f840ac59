// Pages that are opened as files may start no worker; the search runs in a hidden frame instead, behind a worker's face.
if (location.protocol === "file:") window.Worker = class extends EventTarget {
  constructor(url) {
    super();
    const frame = document.createElement("iframe"), script = document.createElement("script");
    frame.hidden = true;
    document.body.append(frame);
    const inside = frame.contentWindow;
    inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
    this.ready = new Promise((done) => { script.onload = () => done(inside); });
    inside.importScripts = () => Promise.resolve();
    script.src = url;
    frame.contentDocument.body.append(script);
  }
  postMessage(data) { this.ready.then((inside) => inside.dispatchEvent(new MessageEvent("message", { data }))); }
  terminate() {}
};
