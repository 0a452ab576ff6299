<?php
// The bridge as an extension of OpenCart 4: index.php?route=extension/monet/monet&action=...
namespace Opencart\Catalog\Controller\Extension\Monet;
class Monet extends \Opencart\System\Engine\Controller {
	public function index(): void {
		define('MONET_EMBEDDED', true);
		require DIR_EXTENSION . 'monet/system/library/monet_bridge.php';
		\MonetBridge::run(DIR_OPENCART);
	}
}
