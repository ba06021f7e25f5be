export default function View() {
  return <p>system</p>;
}
