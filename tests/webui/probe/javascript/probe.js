onUiLoaded(() => { window.probeLoaded = true; });
