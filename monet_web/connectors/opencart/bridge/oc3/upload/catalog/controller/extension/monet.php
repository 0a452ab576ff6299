<?php
// The bridge as an extension of OpenCart 3: index.php?route=extension/monet&action=...
class ControllerExtensionMonet extends Controller {
	public function index() {
		define('MONET_EMBEDDED', true);
		require DIR_SYSTEM . 'library/monet_bridge.php';
		MonetBridge::run(dirname(DIR_APPLICATION));
	}
}
