// Looks a page over as somebody would who sees little, hears it read, or has no mouse. Answers with what is wrong.

() => {
  const wrong = [];
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });

  const say = (element, what) => {
    const name = `${element.tagName.toLowerCase()}${element.id ? `#${element.id}` : ""}.${[...element.classList].join(".")}`;
    wrong.push(`${name} "${element.textContent.trim().slice(0, 40)}": ${what}`);
  };
  const visible = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const unseen = (element) => element.closest(".unseen, .skip") !== null;

  /** Any CSS colour as [r, g, b, a], 0 to 1. */
  const parsed = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = "#000";
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r / 255, g / 255, b / 255, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const luminance = (colour) => {
    const [r, g, b] = colour.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  /** What is behind an element: null where a picture is. */
  const ground = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const colour = parsed(getComputedStyle(at).backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) return layers.reduceRight((below, top) => over(top, below), [1, 1, 1, 1]);
      if (at.matches(".stage")) return null;
    }
    return layers.reduceRight((below, top) => over(top, below), [1, 1, 1, 1]);
  };

  const CONTROLS = "button, a[href], input, select, textarea, summary, [role=button], [tabindex='0']";
  const name = (control) => {
    const labelled = (control.getAttribute("aria-labelledby") ?? "")
      .split(" ")
      .map((id) => document.getElementById(id)?.textContent ?? "")
      .join("");
    const labels = [...(control.labels ?? [])].map((label) => label.textContent).join("");
    const own = control.matches("select") ? "" : control.textContent;
    return (control.getAttribute("aria-label") || labelled || labels || own || control.title || "").trim();
  };

  const scope = document.querySelector("dialog[open]") ?? document;
  for (const control of scope.querySelectorAll(CONTROLS)) {
    if (!control.checkVisibility()) continue;
    if (!name(control)) say(control, "has no name");
    if (unseen(control) || control.matches("[type=radio], [type=checkbox], p a, li a")) continue;
    const { width, height } = control.getBoundingClientRect();
    if (height < 43.5 || width < 35.5) say(control, `is too small to touch: ${width.toFixed()}×${height.toFixed()}`);
  }
  for (const field of scope.querySelectorAll("input[type=text], select")) {
    if (!visible(field) || field.matches(".language") || field.disabled) continue;
    const [edge, behind] = [parsed(getComputedStyle(field).borderTopColor), ground(field.parentElement)];
    if (contrast(over(edge, behind), behind) < 3) say(field, "has an edge that is hard to see");
  }
  for (const image of scope.querySelectorAll("img")) if (!image.hasAttribute("alt")) say(image, "has no alt");

  const words = document.createTreeWalker(scope === document ? document.body : scope, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    const element = words.currentNode.parentElement;
    if (
      !words.currentNode.data.trim() ||
      element.closest("noscript, option, script") ||
      !visible(element) ||
      unseen(element)
    )
      continue;
    if (element.closest(":disabled")) continue;
    const style = getComputedStyle(element);
    const behind = ground(element);
    if (behind === null) continue;
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    let faded = 1;
    for (let at = element; at; at = at.parentElement) faded *= Number(getComputedStyle(at).opacity);
    const ink = parsed(style.color);
    const ratio = contrast(over([ink[0], ink[1], ink[2], ink[3] * faded], behind), behind);
    if (ratio < needed) say(element, `contrast ${ratio.toFixed(2)}, needs ${needed}`);
    if (size < 12.5) say(element, `is set in ${size} px`);
    if (
      /\{\w+\}|^(app|live|gallery|emotion|clips|sessions|state|invite|join)\.[a-z.-]+$/.test(
        words.currentNode.data.trim(),
      )
    )
      say(element, "shows a key or a placeholder");
  }

  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of new Set(ids.filter((id, index) => ids.indexOf(id) !== index)))
    wrong.push(`the id ${id} is there twice`);
  const headings = [...document.querySelectorAll("h1, h2, h3, h4")].filter(
    (heading) => heading.checkVisibility() && !heading.closest("dialog"),
  );
  if (headings.filter((heading) => heading.matches("h1")).length > 1) wrong.push("two first headings");
  headings.forEach((heading, index) => {
    if (index && Number(heading.tagName[1]) > Number(headings[index - 1].tagName[1]) + 1) say(heading, "skips a level");
  });
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) wrong.push(`scrolls sideways: ${scrollWidth} in ${clientWidth} px`);
  for (const wide of document.querySelectorAll("main *")) {
    if (wide.checkVisibility() && !unseen(wide) && wide.getBoundingClientRect().right > clientWidth + 1)
      say(wide, "sticks out on the right");
  }
  return wrong;
};
