export default function View() {
  return <p>sql</p>;
}
