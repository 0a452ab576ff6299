<?php
// Only so that "install" can be pressed under Extensions > Modules: until then OpenCart 4 ignores an extension.
namespace Opencart\Admin\Controller\Extension\Monet\Module;
class Monet extends \Opencart\System\Engine\Controller {
	public function index(): void {
		$this->response->setOutput('The Monet bridge is at work. Make an API user under System > Users > API.');
	}
}
