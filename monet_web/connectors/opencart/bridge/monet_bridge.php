<?php
/**
 * Read-only order feed for Monet Web: OpenCart 2.1 to 4.1, PHP 5.6 and later. It runs SELECT and SHOW, nothing else.
 *
 * Put it beside the shop's index.php and config.php, or install it as an extension. In the shop's admin make an API
 * user (System > Users > API) and give its name and key to Monet Web. Without that key it says nothing.
 *
 * GET ?action=info
 * GET ?action=orders&field=any|date_added|date_modified&from=2026-10-01&to=2026-11-01&after=ORDER_ID&limit=100
 *     from is included, to is not, both in the shop's time; orders come by order_id, those above `after`.
 *     also: ids=4,5  store_id=0  unfinished=1  brief=1 (ids, status and dates alone)  count=1 (adds "total")
 *
 * X-Monet-User: the API user's name     X-Monet-Time: Unix time
 * X-Monet-Sign: hex HMAC-SHA256(key, "GET\n" + the query string as sent + "\n" + time)
 */
class MonetBridge {
	const VERSION = '1.1';
	const CLOCK_SECONDS = 300;

	private $db;
	private $p;
	private $known = false;

	public static function run($root) {
		error_reporting(0);
		ini_set('display_errors', '0');
		$bridge = new self();
		$bridge->serve($root);
	}

	private function serve($root) {
		if ($_SERVER['REQUEST_METHOD'] !== 'GET') $this->fail(405, 'method', 'Only GET is served');
		if (!defined('DB_HOSTNAME') && is_file($root . '/config.php')) require $root . '/config.php';
		if (!defined('DB_HOSTNAME')) $this->fail(500, 'config', 'config.php has no database settings');
		mysqli_report(MYSQLI_REPORT_OFF);
		$port = defined('DB_PORT') && DB_PORT ? (int)DB_PORT : 3306;
		$this->db = @new mysqli(DB_HOSTNAME, DB_USERNAME, DB_PASSWORD, DB_DATABASE, $port);
		if ($this->db->connect_errno) $this->fail(500, 'database', 'Cannot reach the shop database');
		if (!$this->db->set_charset('utf8mb4')) $this->db->set_charset('utf8');
		$this->p = defined('DB_PREFIX') ? DB_PREFIX : '';
		$this->authorise();
		$this->known = true;

		$settings = array();
		$names = "'config_timezone','config_currency','config_name','config_tax','config_language','config_complete_status','config_processing_status'";
		foreach ($this->rows("SELECT `key`, `value` FROM `{$this->p}setting` WHERE store_id = 0 AND `key` IN ($names)") as $row) $settings[$row['key']] = $row['value'];
		if (!empty($settings['config_timezone'])) @date_default_timezone_set($settings['config_timezone']);

		if ($this->get('action') === 'info') $this->info($root, $settings);
		if ($this->get('action') === 'orders') $this->orders();
		$this->fail(404, 'action', 'action is info or orders');
	}

	private function authorise() {
		$user = isset($_SERVER['HTTP_X_MONET_USER']) ? $_SERVER['HTTP_X_MONET_USER'] : '';
		$time = isset($_SERVER['HTTP_X_MONET_TIME']) ? $_SERVER['HTTP_X_MONET_TIME'] : '';
		$sign = isset($_SERVER['HTTP_X_MONET_SIGN']) ? $_SERVER['HTTP_X_MONET_SIGN'] : '';
		if ($user === '' || $sign === '') $this->fail(401, 'unsigned', 'The request is not signed');
		$name = count($this->rows("SHOW COLUMNS FROM `{$this->p}api` LIKE 'username'")) ? 'username' : 'name';
		$found = $this->rows("SELECT * FROM `{$this->p}api` WHERE `$name` = " . $this->quote($user) . " AND status = 1 LIMIT 1");
		$key = $found && isset($found[0]['key']) ? $found[0]['key'] : '';
		$want = hash_hmac('sha256', "GET\n" . $_SERVER['QUERY_STRING'] . "\n" . $time, $key);
		if ($key === '' || !hash_equals($want, strtolower($sign))) $this->fail(401, 'key', 'Unknown API user, or wrong key');
		if (abs(time() - (int)$time) > self::CLOCK_SECONDS) $this->out(401, array('error' => 'clock', 'message' => 'The request is too old', 'server_time' => time()));
		if (!$this->has('api_ip')) return;
		$allowed = array();
		foreach ($this->rows("SELECT ip FROM `{$this->p}api_ip` WHERE api_id = " . (int)$found[0]['api_id']) as $row) $allowed[] = trim($row['ip']);
		if ($allowed && !in_array($_SERVER['REMOTE_ADDR'], $allowed)) $this->fail(403, 'ip', 'Address ' . $_SERVER['REMOTE_ADDR'] . " is not on the API user's list");
	}

	private function info($root, $settings) {
		$p = $this->p;
		$version = defined('VERSION') ? VERSION : '';
		if ($version === '' && preg_match("/define\\('VERSION',\\s*'([^']+)'/", (string)@file_get_contents($root . '/index.php'), $found)) $version = $found[1];
		$info = array('bridge' => self::VERSION, 'opencart' => $version, 'settings' => $settings, 'utc_offset' => date('P'), 'server_time' => time());
		$info['currencies'] = $this->rows("SELECT code, value, decimal_place, status FROM `{$p}currency`");
		$info['order_statuses'] = $this->rows("SELECT order_status_id, language_id, name FROM `{$p}order_status`");
		$info['tax_rates'] = $this->rows("SELECT tax_rate_id, geo_zone_id, name, rate, type FROM `{$p}tax_rate`");
		$info['tax_rules'] = $this->rows("SELECT tax_class_id, tax_rate_id, based, priority FROM `{$p}tax_rule`");
		if ($this->has('custom_field')) $info['custom_fields'] = $this->rows("SELECT f.custom_field_id, f.location, f.type, d.language_id, d.name FROM `{$p}custom_field` f LEFT JOIN `{$p}custom_field_description` d ON d.custom_field_id = f.custom_field_id");
		if ($this->has('store')) $info['stores'] = $this->rows("SELECT store_id, name, url FROM `{$p}store` ORDER BY store_id");
		$info['payments'] = $this->payments();
		$counts = $this->rows("SELECT COUNT(*) orders, SUM(order_status_id = 0) unfinished, MIN(date_added) first, MAX(date_added) last FROM `{$p}order`");
		$info['counts'] = $counts[0];
		$this->out(200, $info);
	}

	/** The payment methods of all finished orders: text and code before 4, an object since. */
	private function payments() {
		$by_code = count($this->rows("SHOW COLUMNS FROM `{$this->p}order` LIKE 'payment_code'"));
		$what = $by_code ? 'payment_code, MAX(payment_method) AS payment_method' : 'payment_method';
		$group = $by_code ? 'payment_code' : 'payment_method';
		$payments = array();
		foreach ($this->rows("SELECT $what, COUNT(*) AS orders FROM `{$this->p}order` WHERE order_status_id > 0 GROUP BY $group ORDER BY orders DESC LIMIT 100") as $row) {
			$method = json_decode((string)$row['payment_method'], true);
			if (!is_array($method)) $method = array('code' => $by_code ? $row['payment_code'] : '', 'name' => $row['payment_method']);
			$payments[] = array('code' => isset($method['code']) ? $method['code'] : '', 'name' => isset($method['name']) ? $method['name'] : '', 'orders' => $row['orders']);
		}
		return $payments;
	}

	private function orders() {
		$p = $this->p;
		$where = $this->dates();
		if ($this->get('ids') !== '') $where[] = 'order_id IN (' . implode(',', array_map('intval', explode(',', $this->get('ids')))) . ')';
		if ($this->get('store_id') !== '') $where[] = 'store_id = ' . (int)$this->get('store_id');
		if (!$this->get('unfinished')) $where[] = 'order_status_id > 0';
		$every = $where ? ' WHERE ' . implode(' AND ', $where) : '';
		if ($this->get('after') !== '') {
			if (!preg_match('/^\d{1,18}$/D', $this->get('after'))) $this->fail(400, 'after', 'after is the id of an order');
			$where[] = 'order_id > ' . $this->get('after');
		}
		$limit = max(1, min(500, (int)$this->get('limit', '100')));
		$columns = $this->get('brief') ? 'order_id, order_status_id, date_added, date_modified' : '*';
		$found = $this->rows("SELECT $columns FROM `{$p}order`" . ($where ? ' WHERE ' . implode(' AND ', $where) : '') . ' ORDER BY order_id LIMIT ' . ($limit + 1));
		$more = count($found) > $limit;
		if ($more) array_pop($found);
		$last = $found ? $found[count($found) - 1]['order_id'] : null;
		$answer = array('orders' => $this->get('brief') ? $found : $this->whole($found), 'next' => $more ? $last : null);
		if ($this->get('count')) {
			$counted = $this->rows("SELECT COUNT(*) AS n FROM `{$p}order`" . $every);
			$answer['total'] = (int)$counted[0]['n'];
		}
		$answer['server_time'] = time();
		$this->out(200, $answer);
	}

	/** The window as conditions: any means added or changed in it. */
	private function dates() {
		$field = $this->get('field', 'any');
		if (!in_array($field, array('any', 'date_added', 'date_modified'), true)) $this->fail(400, 'field', 'field is any, date_added or date_modified');
		$ends = array();
		foreach (array('from' => '>=', 'to' => '<') as $name => $operator) {
			$value = $this->get($name);
			if ($value === '') continue;
			if (!preg_match('/^\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?$/D', $value)) $this->fail(400, $name, $name . ' must look like 2026-01-31 or 2026-01-31 15:00:00');
			$ends[] = $operator . ' ' . $this->quote($value);
		}
		if (!$ends) return array();
		$either = array();
		foreach ($field === 'any' ? array('date_added', 'date_modified') : array($field) as $column) {
			$each = array();
			foreach ($ends as $end) $each[] = "`$column` $end";
			$either[] = '(' . implode(' AND ', $each) . ')';
		}
		return array('(' . implode(' OR ', $either) . ')');
	}

	/** Orders with all that belongs to them, in their order. */
	private function whole($found) {
		$p = $this->p;
		$by = array();
		$countries = array();
		foreach ($found as $order) {
			foreach (array('ip', 'forwarded_ip', 'user_agent', 'accept_language') as $column) unset($order[$column]);
			foreach (array('custom_field', 'payment_custom_field', 'shipping_custom_field', 'payment_method', 'shipping_method') as $column) {
				if (!isset($order[$column])) continue;
				$decoded = json_decode($order[$column], true);
				if (is_array($decoded)) $order[$column] = $decoded;
			}
			foreach (array('products', 'totals', 'vouchers', 'history', 'returns') as $part) $order[$part] = array();
			$by[(int)$order['order_id']] = $order;
			foreach (array('payment_country_id', 'shipping_country_id') as $column) if (!empty($order[$column])) $countries[(int)$order[$column]] = true;
		}
		if (!$by) return array();
		$in = implode(',', array_keys($by));
		$codes = array();
		if ($countries) foreach ($this->rows("SELECT country_id, iso_code_2 FROM `{$p}country` WHERE country_id IN (" . implode(',', array_keys($countries)) . ')') as $row) $codes[(int)$row['country_id']] = $row['iso_code_2'];
		$names = array();
		foreach ($this->rows("SELECT order_status_id, language_id, name FROM `{$p}order_status`") as $row) $names[$row['order_status_id']][$row['language_id']] = $row['name'];
		foreach ($by as $id => $order) {
			foreach (array('payment', 'shipping') as $which) {
				$country = isset($order[$which . '_country_id']) ? (int)$order[$which . '_country_id'] : 0;
				$by[$id][$which . '_iso_code_2'] = isset($codes[$country]) ? $codes[$country] : '';
			}
			$name = isset($names[$order['order_status_id']]) ? $names[$order['order_status_id']] : array();
			$by[$id]['order_status'] = isset($name[$order['language_id']]) ? $name[$order['language_id']] : ($name ? reset($name) : '');
		}
		$lines = array();
		foreach ($this->rows("SELECT op.*, p.sku, p.ean, p.tax_class_id, p.product_id IS NOT NULL AS product_exists FROM `{$p}order_product` op LEFT JOIN `{$p}product` p ON p.product_id = op.product_id WHERE op.order_id IN ($in) ORDER BY op.order_product_id") as $row) {
			$row['options'] = array();
			$lines[(int)$row['order_product_id']] = $row;
		}
		foreach ($this->rows("SELECT order_product_id, name, value, type FROM `{$p}order_option` WHERE order_id IN ($in) ORDER BY order_option_id") as $row) {
			$line = (int)$row['order_product_id'];
			unset($row['order_product_id']);
			if (isset($lines[$line])) $lines[$line]['options'][] = $row;
		}
		foreach ($lines as $line) $by[(int)$line['order_id']]['products'][] = $line;
		$parts = array(
			'totals' => "SELECT * FROM `{$p}order_total` WHERE order_id IN ($in) ORDER BY sort_order, order_total_id",
			'history' => "SELECT order_history_id, order_id, order_status_id, comment, date_added FROM `{$p}order_history` WHERE order_id IN ($in) ORDER BY order_history_id",
		);
		if ($this->has('order_voucher')) $parts['vouchers'] = "SELECT order_voucher_id, order_id, description, code, to_name, amount FROM `{$p}order_voucher` WHERE order_id IN ($in) ORDER BY order_voucher_id";
		if ($this->has('return')) $parts['returns'] = "SELECT return_id, order_id, product_id, product, model, quantity, return_status_id, return_action_id, date_added, date_modified FROM `{$p}return` WHERE order_id IN ($in) ORDER BY return_id";
		foreach ($parts as $part => $sql) foreach ($this->rows($sql) as $row) $by[(int)$row['order_id']][$part][] = $row;
		return array_values($by);
	}

	private function rows($sql) {
		$result = $this->db->query($sql);
		if ($result === false) $this->fail(500, 'query', $this->known ? $this->db->error : 'The shop database refuses to tell its API users');
		$rows = array();
		while ($row = $result->fetch_assoc()) $rows[] = $row;
		return $rows;
	}

	private function has($table) {
		return count($this->rows("SHOW TABLES LIKE '" . $this->db->real_escape_string(addcslashes($this->p . $table, '_%')) . "'")) > 0;
	}

	private function quote($text) { return "'" . $this->db->real_escape_string($text) . "'"; }

	private function get($name, $default = '') { return isset($_GET[$name]) && is_string($_GET[$name]) && $_GET[$name] !== '' ? $_GET[$name] : $default; }

	private function fail($status, $code, $message) { $this->out($status, array('error' => $code, 'message' => $message)); }

	private function out($status, $answer) {
		while (ob_get_level() > 0) ob_end_clean();
		http_response_code($status);
		header('Content-Type: application/json; charset=utf-8');
		header('Cache-Control: no-store');
		$flags = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES;
		if (defined('JSON_INVALID_UTF8_SUBSTITUTE')) $flags |= JSON_INVALID_UTF8_SUBSTITUTE;
		$json = json_encode($answer, $flags);
		if ($json === false) {
			http_response_code(500);
			$json = '{"error":"encoding","message":"' . json_last_error_msg() . '"}';
		}
		echo $json;
		exit;
	}
}

if (!defined('MONET_EMBEDDED')) MonetBridge::run(__DIR__);
