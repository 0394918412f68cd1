def topological_order(graph):
    order, states = [], {}

    def visit(node):
        if states.get(node) == "done":
            return True
        if states.get(node) == "open":
            return False
        states[node] = "open"
        if not all(visit(successor) for successor in graph.get(node, [])):
            return False
        states[node] = "done"
        order.append(node)
        return True

    return order[::-1] if all(visit(node) for node in graph) else None
