#!/bin/bash
sum=0
while IFS=, read -r name amount; do
  [[ $amount =~ ^-?[0-9]+$ ]] && sum=$((sum + amount))
done
echo "$sum"
