"use strict";
// A map answers the pointer: the nearest point's picture and its texts, and a
// zoom that keeps the middle where it is. Without this the map is still there.
for (const map of document.querySelectorAll(".map")) {
  const data = JSON.parse(map.querySelector("script").textContent);
  const view = map.querySelector(".view"), plane = map.querySelector(".plane");
  const img = plane.querySelector("img"), tip = map.querySelector(".tip"), ring = map.querySelector(".ring");
  const canvas = tip.querySelector("canvas"), name = tip.querySelector("b"), label = tip.querySelector("span");
  const hide = () => { tip.classList.remove("on"); ring.classList.remove("on"); };
  const show = (event) => {
    const box = img.getBoundingClientRect(), scale = box.width / data.w;
    const x = (event.clientX - box.left) / scale, y = (event.clientY - box.top) / scale;
    let best = null, near = Math.max(28, 24 / scale) ** 2;
    for (const p of data.p) {
      const d = (p[0] - x) ** 2 + (p[1] - y) ** 2;
      if (d < near) { near = d; best = p; }
    }
    if (!best) { hide(); return; }
    const half = best[3] ? data.t / 2 : 5, side = 2 * half * scale;
    ring.style.left = (best[0] - half) * scale - 2 + "px";
    ring.style.top = (best[1] - half) * scale - 2 + "px";
    ring.style.width = ring.style.height = side + 4 + "px";
    ring.classList.add("on");
    canvas.hidden = !best[3];
    if (best[3]) {
      canvas.width = canvas.height = data.t;
      canvas.getContext("2d").drawImage(img, best[0] - half, best[1] - half, data.t, data.t, 0, 0, data.t, data.t);
    }
    name.textContent = best[2] < 0 ? "" : data.c[best[2]];
    label.textContent = best[4];
    tip.classList.add("on");
    const frame = map.getBoundingClientRect();
    const left = event.clientX - frame.left, top = event.clientY - frame.top;
    tip.style.left = Math.max(0, Math.min(left + 16, frame.width - tip.offsetWidth - 8)) + "px";
    tip.style.top = (top + 20 + tip.offsetHeight > frame.height ? top - tip.offsetHeight - 14 : top + 20) + "px";
  };
  view.addEventListener("pointermove", show);
  view.addEventListener("pointerdown", show);
  view.addEventListener("pointerleave", hide);
  view.addEventListener("scroll", hide);
  let width = plane.offsetWidth;
  map.querySelector(".zoom").addEventListener("change", () => {
    const k = plane.offsetWidth / width, cx = view.scrollLeft + view.clientWidth / 2, cy = view.scrollTop + view.clientHeight / 2;
    width = plane.offsetWidth;
    view.scrollLeft = cx * k - view.clientWidth / 2;
    view.scrollTop = cy * k - view.clientHeight / 2;
    hide();
  });
}
