#[rpc_trait(name = "kv.v2")]
pub(crate) trait Store<K, V = String, const N: usize = 4>: Audit
where
    K: Ord,
    Self: Sized,
{
    #[rpc(rename = "fetch")]
    async fn get(&self, key: K) -> Result<Option<V>, [u8; N]>;
}
