import heapq


def dijkstra(graph, start):
    distances = {start: 0}
    waiting = [(0, start)]
    while waiting:
        distance, node = heapq.heappop(waiting)
        if distance > distances[node]:
            continue
        for other, length in graph[node].items():
            if other not in distances or distance + length < distances[other]:
                distances[other] = distance + length
                heapq.heappush(waiting, (distances[other], other))
    return distances
