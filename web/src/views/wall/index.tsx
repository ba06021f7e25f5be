export default function Wall() {
  return <p>wall</p>;
}
