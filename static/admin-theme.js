// htmx would add a style element for indicators, which the page does not allow and nobody uses.
"use strict";
htmx.config.includeIndicatorStyles = false;
